"""From nothing to a bundle: render, train, measure, export.

    python -m training.pipeline --render-bin ../../target/debug/datasets --out ../bundles/lane-v1

Every stage keeps what it made under `--work` and is skipped or resumed when run again.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from . import export
from .data import plates, scenes
from .loop import CHECKPOINT

# What is rendered: folder, subcommand of the renderer, part of the full count, seed.
TRAINING_SEEDS, VALIDATION_SEEDS = (1, 2), (9001, 9002)
SETS = {
    "plates-train": ("plates", 240_000, TRAINING_SEEDS[0]),
    "plates-val": ("plates", 4_000, VALIDATION_SEEDS[0]),
    "scenes-train": ("scenes", 40_000, TRAINING_SEEDS[1]),
    "scenes-val": ("scenes", 1_000, VALIDATION_SEEDS[1]),
}


def render(binary: Path, work: Path, share: float) -> None:
    """Render the sets that are not there yet; `share` scales how many pictures each holds."""
    for folder, (kind, full, seed) in SETS.items():
        done = work / folder / "done"
        if done.exists():
            continue
        count = max(64, round(full * share))
        command = [str(binary), "render", kind, "--out", str(work / folder), "--count", str(count), "--seed", str(seed),
                   "--threads", "2"]
        print("rendering", " ".join(command), flush=True)
        subprocess.run(command, check=True)
        done.touch()


def trainings(work: Path, minutes: float, steps: int | None) -> list[list[str]]:
    """Command lines of the reader's and the detector's training, each one process on one thread."""
    commands = []
    for name, sets in (("reader", "plates"), ("detector", "scenes")):
        commands.append([
            sys.executable, "-m", f"training.train_{name}", "--data", str(work / f"{sets}-train"),
            "--validation", str(work / f"{sets}-val"), "--run", str(work / "runs" / name), "--minutes", str(minutes),
            *(["--steps", str(steps)] if steps else []),
        ])
    return commands


def train(work: Path, minutes: float, steps: int | None = None) -> None:
    """Train both networks side by side; an unfinished training resumes."""
    running = [(command, subprocess.Popen(command)) for command in trainings(work, minutes, steps)]
    failed = [command[2] for command, process in running if process.wait() != 0]
    if failed:
        raise SystemExit(f"{' and '.join(failed)} failed: see the messages above, mend it and run again to resume")


def source(work: Path, version: str, renderer: str) -> export.Source:
    """What the bundle is made from."""
    return export.Source(
        reader=work / "runs" / "reader" / CHECKPOINT,
        detector=work / "runs" / "detector" / CHECKPOINT,
        validation_plates=work / "plates-val",
        validation_scenes=work / "scenes-val",
        version=version,
        renderer=renderer,
        seeds=list(TRAINING_SEEDS),
        crops=len(plates([work / "plates-train"])),
        tiles=len(scenes([work / "scenes-train"])),
    )


def main() -> None:
    """Command line."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--render-bin", type=Path, required=True, help="the `datasets` binary")
    ap.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    ap.add_argument("--work", type=Path, default=Path("work"), help="rendered sets and runs (default: work)")
    ap.add_argument("--minutes", type=float, default=90.0, help="training time of each network (default: 90)")
    ap.add_argument("--share", type=float, default=1.0, help="part of the full sets to render (default: 1)")
    ap.add_argument("--version", default="1.0.0", help="the bundle's version (default: 1.0.0)")
    args = ap.parse_args()
    render(args.render_bin, args.work, args.share)
    train(args.work, args.minutes)
    manifest = export.export(source(args.work, args.version, args.render_bin.name), args.out)
    print(json.dumps({"thresholds": manifest["thresholds"], "metrics": manifest["metrics"]}))


if __name__ == "__main__":
    main()
