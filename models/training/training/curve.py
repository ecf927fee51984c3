"""Draw learning curves: what more rendered pictures still give, and where they stop giving.

    python -m training.curve --runs ../../work/train/runs --generations ../bundles/lane-v2/learning-curve.csv \\
        --out ../bundles/lane-v2/learning-curve.svg

On the left, each training under `--runs` against held-out renders. On the right, photographs: a row of `--generations` for each
set of weights that was measured on them (crops seen, part read exactly of the Hong Kong set, of Europe, of the United States).
"""

import argparse
import csv
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from .loop import CURVE

# What a training is best told by, of what its validation notes.
TOLD = {"reader": "exact", "detector": "recall"}
SETS = {"hong_kong": "Hong Kong set", "europe": "Europe", "united_states": "United States"}


def trainings(axes: Axes, runs: Path) -> None:
    """One line for each training that has noted its curve."""
    for path in sorted(runs.glob(f"*/{CURVE}")):
        name, rows = path.parent.name, [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        told = TOLD.get(name)
        rows = [row for row in rows if told in row]
        if not rows:
            print(f"{path}: nothing in it that is drawn ({', '.join(TOLD.values())})")
            continue
        axes.plot([row["samples"] / 1000 for row in rows], [100 * row[told] for row in rows], marker="o", label=f"{name}: {told}")
    axes.set(title="Held-out renders", xlabel="pictures seen in this training, thousands", ylabel="%")


def generations(axes: Axes, path: Path) -> None:
    """What each set of weights read of photographs."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for column, name in SETS.items():
        told = [(float(row["crops"]) / 1000, 100 * float(row[column])) for row in rows if row[column]]
        axes.plot([x for x, _ in told], [y for _, y in told], marker="o", label=name)
    axes.set(title="Photographs, read with labelled corners", xlabel="crops seen in all, thousands", ylabel="read exactly, %")


def main() -> None:
    """Command line."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--runs", type=Path, help="folder with a folder for each training")
    ap.add_argument("--generations", type=Path, help="CSV file: crops,hong_kong,europe,united_states,what")
    ap.add_argument("--out", type=Path, required=True, help="the picture (.svg)")
    args = ap.parse_args()
    drawn = [(draw, source) for draw, source in ((trainings, args.runs), (generations, args.generations)) if source]
    if not drawn:
        ap.error("say what to draw: --runs, --generations or both")
    plt.rcParams.update({"svg.hashsalt": "learning-curve", "svg.fonttype": "none"})
    figure, panels = plt.subplots(1, len(drawn), figsize=(6.4 * len(drawn), 4.4), squeeze=False, layout="constrained")
    for axes, (draw, source) in zip(panels[0], drawn, strict=True):
        draw(axes, source)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(args.out, metadata={"Date": None})


if __name__ == "__main__":
    main()
