"""From nothing to a bundle: render, train, measure, export.

    python -m training.pipeline --render-bin ../../target/debug/datasets --out ../bundles/lane-v2

Every stage keeps what it made under `--work` and is skipped or resumed when run again. With `--start-from` the reader, the
detector and the refiner go on from the weights of a 32-bit bundle.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

from . import export
from .bundle import MANIFEST
from .data import Shards, corners, plates, scenes
from .detector import Detector
from .loop import CHECKPOINT
from .reader import Reader
from .refiner import Refiner
from .restore import Restoration

# What is rendered: subcommand of the renderer, full count to train on and to validate with. The seeds count up from one set
# to the next; those of validation stay the same, so that two trainings of one renderer compare.
# A threshold at which one read in a thousand is wrong takes tens of thousands of looks to find: on 4,000 it came out at
# 0.947, on 20,000 at 0.966.
SETS = {"plates": (260_000, 20_000), "scenes": (44_000, 1_000), "corners": (60_000, 3_000)}
VALIDATION_SEED = 9001

# The refiner is small and learns fast: this part of the others' time.
REFINER_SHARE = 0.3

# Highest learning rates of a training that goes on from a bundle, where they are not those of one that begins: the steps of
# the beginning throw away what had been learnt before, and a short training does not win it all back.
FURTHER_RATES = {"reader": 1e-3, "detector": 8e-4}


def seeds(first: int) -> list[int]:
    """The seeds of the sets that are trained on."""
    return [first + place for place in range(len(SETS))]


def render(binary: Path, work: Path, share: float, seed: int) -> None:
    """Render the sets that are not there yet; `share` scales how many pictures each holds, `seed` is the first set's."""
    for place, (kind, counts) in enumerate(SETS.items()):
        for part, full, first in zip(("train", "val"), counts, (seed, VALIDATION_SEED)):
            folder = work / f"{kind}-{part}"
            if (folder / "done").exists():
                continue
            count = max(64, round(full * share))
            command = [str(binary), "render", kind, "--out", str(folder), "--count", str(count), "--seed", str(first + place),
                       "--threads", "2"]
            print("rendering", " ".join(command), flush=True)
            subprocess.run(command, check=True)
            (folder / "done").touch()


def start(work: Path, bundle: Path) -> None:
    """Checkpoints with the weights of a 32-bit bundle, for the trainings to start from."""

    def write(name: str, network: nn.Module, files: list[str], held_out: Shards) -> None:
        pictures = (torch.from_numpy(batch[0])[:, None].float() / 255.0 for batch in held_out.batches(50, 1000))
        restored = Restoration(network, bundle, files, export.write).restore(pictures)
        (work / "start").mkdir(exist_ok=True)
        torch.save({"average": restored.state_dict()}, work / "start" / f"{name}.pt")

    write("reader", Reader(), [export.READER], plates([work / "plates-val"]))
    write("refiner", Refiner(), [export.REFINER], corners([work / "corners-val"]))
    write("detector", Detector(), [next(iter(export.DETECTOR_SIZES)), export.CORNERS], scenes([work / "scenes-val"]))


def trainings(work: Path, minutes: float, steps: int | None, started: bool) -> list[list[str]]:
    """Command lines of the trainings, each one process on one thread; `started`: from the checkpoints that `start` made."""
    commands = []
    for name, sets, share in (("reader", "plates", 1.0), ("detector", "scenes", 1.0), ("refiner", "corners", REFINER_SHARE)):
        commands.append([
            sys.executable, "-m", f"training.train_{name}", "--data", str(work / f"{sets}-train"),
            "--validation", str(work / f"{sets}-val"), "--run", str(work / "runs" / name), "--minutes", str(minutes * share),
            *(["--steps", str(steps)] if steps else []), *(further(work, name) if started else []),
        ])
    return commands


def further(work: Path, name: str) -> list[str]:
    """Options of a training that goes on from the checkpoint that `start` made."""
    rate = ["--rate", str(FURTHER_RATES[name])] if name in FURTHER_RATES else []
    return ["--start-from", str(work / "start" / f"{name}.pt"), *rate]


def train(work: Path, minutes: float, steps: int | None = None, started: bool = False) -> None:
    """Train the networks side by side; an unfinished training resumes."""
    running = [(command, subprocess.Popen(command)) for command in trainings(work, minutes, steps, started)]
    failed = [command[2] for command, process in running if process.wait() != 0]
    if failed:
        raise SystemExit(f"{' and '.join(failed)} failed: see the messages above, mend it and run again to resume")


def source(work: Path, version: str, renderer: str, seed: int, bundle: Path | None = None) -> export.Source:
    """What the bundle is made from; `bundle`: the one it goes on from."""
    return export.Source(
        reader=work / "runs" / "reader" / CHECKPOINT,
        detector=work / "runs" / "detector" / CHECKPOINT,
        refiner=work / "runs" / "refiner" / CHECKPOINT,
        validation_plates=work / "plates-val",
        validation_scenes=work / "scenes-val",
        validation_corners=work / "corners-val",
        started_from=version_of(bundle) if bundle else "",
        reader_began=work / "start" / "reader.pt" if bundle else None,
        version=version,
        renderer=renderer,
        seeds=seeds(seed),
        crops=len(plates([work / "plates-train"])),
        tiles=len(scenes([work / "scenes-train"])),
    )


def version_of(bundle: Path) -> str:
    """Name and version of a bundle."""
    manifest = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
    return f"{manifest['name']} {manifest['version']}"


def main() -> None:
    """Command line."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--render-bin", type=Path, required=True, help="the `datasets` binary")
    ap.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    ap.add_argument("--work", type=Path, default=Path("work"), help="rendered sets and runs (default: work)")
    ap.add_argument("--minutes", type=float, default=90.0, help="training time of each network (default: 90)")
    ap.add_argument("--share", type=float, default=1.0, help="part of the full sets to render (default: 1)")
    ap.add_argument("--seed", type=int, default=1, help="seed of the first rendered set; take another to go on from a bundle (default: 1)")
    ap.add_argument("--start-from", type=Path, help="a 32-bit bundle whose weights the trainings start from")
    ap.add_argument("--version", default="1.0.0", help="the bundle's version (default: 1.0.0)")
    args = ap.parse_args()
    render(args.render_bin, args.work, args.share, args.seed)
    if args.start_from:
        start(args.work, args.start_from)
    train(args.work, args.minutes, started=args.start_from is not None)
    manifest = export.export(source(args.work, args.version, args.render_bin.name, args.seed, args.start_from), args.out)
    print(json.dumps({"thresholds": manifest["thresholds"], "metrics": manifest["metrics"]}))


if __name__ == "__main__":
    main()
