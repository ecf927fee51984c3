"""Measure a bundle on labelled photographs, which measure and never train.

The set is a folder with `labels.csv` (image, text, x, y, w, h, corners, rows, country, ..) and the images.
Two measures: whole frames (detector, then reader), and the reader alone on the labelled corners.
"""

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from . import photos
from .bundle import Bundle, Read

Label = dict[str, str]


def labels_of(folder: Path) -> dict[str, list[Label]]:
    """Rows of `labels.csv` by image."""
    rows: dict[str, list[Label]] = defaultdict(list)
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[row["image"]].append(row)
    return rows


def normal(mark: str) -> str:
    """As marks are compared: no separators, O as 0 and I as 1, for Hong Kong marks have neither letter."""
    return "".join(c for c in mark.upper() if c.isalnum()).replace("O", "0").replace("I", "1")


def counts(row: Label) -> bool:
    """Whether a label is clear enough to be counted."""
    return bool(row["text"]) and row["country"] != "unclear" and float(row["w"] or 0) >= 5


def corners_of(row: Label) -> np.ndarray | None:
    """Corners f32 [4, 2] of a label, where it has them."""
    values = [float(v) for v in row.get("corners", "").split()]
    return np.array(values, np.float32).reshape(4, 2) if len(values) == 8 else None


def pictures(folder: Path) -> Iterator[tuple[str, Image.Image, list[Label]]]:
    """Each image of the set in grey, with its labels."""
    for name, rows in sorted(labels_of(folder).items()):
        yield name, Image.open(folder / name).convert("L"), rows


class Tally:
    """Counts by group of plates."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, row: Label, **outcomes: bool) -> None:
        """Count one plate in its own group and in all."""
        for group in (f"{row['country']} {row['rows']}".strip(), "all"):
            counted = self._groups[group]
            counted["plates"] += 1
            for name, happened in outcomes.items():
                counted[name] += int(happened)

    def lines(self) -> list[dict[str, object]]:
        """One line a group, outcomes as parts of its plates."""
        return [
            {"group": group, **{n: v if n == "plates" else round(v / c["plates"], 4) for n, v in c.items()}}
            for group, c in sorted(self._groups.items())
        ]


def as_line(image: str, reads: list[Read], ms: float) -> str:
    """One line of JSON as the product prints its reads."""
    plates = [
        {"mark": r.mark, "jurisdiction": r.layout, "confidence": round(r.confidence, 4), "score": round(r.score, 3),
         "corners": [[round(float(v), 1) for v in p] for p in r.corners]}
        for r in reads
    ]
    return json.dumps({"image": image, "ms": round(ms, 2), "plates": plates}, ensure_ascii=False)


def whole_frames(bundle: Bundle, folder: Path, reads_file: Path | None) -> Tally:
    """Detector and reader over the whole set; each label is matched with the read that overlaps it most."""
    tally, lines = Tally(), []
    for name, picture, rows in pictures(folder):
        reads, ms = bundle.reads(picture)
        lines.append(as_line(name, reads, ms))
        for row in filter(counts, rows):
            x, y, w, h = (float(row[k]) for k in ("x", "y", "w", "h"))
            truth = np.array([[x, y], [x + w, y + h]])
            best = max(reads, key=lambda r: photos.iou(r.corners, truth), default=None)
            overlap = photos.iou(best.corners, truth) if best else 0.0
            right = best is not None and overlap >= 0.2 and normal(best.mark) == normal(row["text"])
            tally.add(row, found=overlap >= 0.5, exact=right)
    if reads_file:
        reads_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tally


def true_corners(bundle: Bundle, folder: Path, misses: list[str]) -> Tally:
    """The reader alone, on the corners of the labels; what it misread goes to `misses`."""
    tally = Tally()
    for name, picture, rows in pictures(folder):
        pixels = np.asarray(picture)
        for row in filter(counts, rows):
            corners = corners_of(row)
            if corners is None:
                continue
            read = bundle.read(pixels, corners)
            right = normal(read.mark) == normal(row["text"])
            tally.add(row, exact=right, layout=read.layout == layout_of(row))
            if not right:
                misses.append(f"{Path(name).name} {row['rows']} {row['text']} read {read.mark} at {read.confidence:.2f}")
    return tally


def layout_of(row: Label) -> str:
    """The layout that the reader should say for a label."""
    return "cross_boundary" if row["country"] == "CN-GD-cross" else row["rows"]


def main() -> None:
    """Command line."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--bundle", type=Path, required=True, help="folder with manifest.json")
    ap.add_argument("--photos", type=Path, required=True, help="folder with labels.csv and images")
    ap.add_argument("--reads", type=Path, help="where to write one line of reads per image")
    ap.add_argument("--show-misses", action="store_true", help="print what was misread on true corners")
    args = ap.parse_args()
    bundle, misses = Bundle(args.bundle), []
    for measure, tally in (
        ("true corners", true_corners(bundle, args.photos, misses)),
        ("whole frames", whole_frames(bundle, args.photos, args.reads)),
    ):
        for line in tally.lines():
            print(json.dumps({"measure": measure, **line}, ensure_ascii=False))
    if args.show_misses:
        print("\n".join(misses))


if __name__ == "__main__":
    main()
