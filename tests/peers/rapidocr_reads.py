#!/usr/bin/env python3
"""Read plates with RapidOCR (PP-OCRv4 in ONNX Runtime) on one thread: the peer that `evaluate --peer` measures beside us.

    rapidocr_reads.py IMAGE_OR_FOLDER...

Prints one JSON line per image, as `edge read` does: image, ms, plates [mark, confidence, corners]; and no line for an image that
cannot be decoded. RapidOCR finds lines of text, not plates: lines that stand above each other and touch are joined into one plate, and
what remains without a digit or longer than any plate is dropped, so that shop signs are not held against it.
"""
import json
import logging
import os
import pathlib
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2  # noqa: E402
from rapidocr_onnxruntime import RapidOCR  # noqa: E402

ENDINGS = {".jpg", ".jpeg", ".png"}
LONGEST = 10  # characters of a mark, as clearance::mark::MAX_CHARACTERS


def box(corners):
    xs, ys = [p[0] for p in corners], [p[1] for p in corners]
    return min(xs), min(ys), max(xs), max(ys)


def spelt(text):
    """Letters, digits and Han characters; the traditional form of the Guangdong sign counts."""
    return "".join(c for c in text.upper() if c.isalnum()).replace("粵", "粤")


def stand_together(upper, lower):
    """Two lines of one plate: their x-ranges overlap by half of the narrower, they touch vertically and are of like height."""
    a, b = box(upper["corners"]), box(lower["corners"])
    shared = min(a[2], b[2]) - max(a[0], b[0])
    heights = a[3] - a[1], b[3] - b[1]
    gap = b[1] - a[3]
    return (shared >= 0.5 * min(a[2] - a[0], b[2] - b[0]) and -0.5 * min(heights) <= gap <= 0.5 * min(heights)
            and max(heights) <= 2 * min(heights))


def plausible(mark):
    return 0 < len(mark) <= LONGEST and any(c.isdigit() for c in mark)


def joined(lines):
    """Plates from lines: greedily, from the top. Two lines at most, and only if both together can be a mark."""
    lines = sorted(lines, key=lambda line: box(line["corners"])[1])
    plates, used = [], set()
    for i, upper in enumerate(lines):
        if i in used:
            continue
        for j in range(i + 1, len(lines)):
            lower = lines[j]
            mark = upper["mark"] + lower["mark"]
            if j not in used and stand_together(upper, lower) and plausible(mark) and len(upper["mark"]) <= 3:
                used.add(j)
                x0, y0, x1, y1 = box(upper["corners"] + lower["corners"])
                corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
                plates.append({"mark": mark, "confidence": min(upper["confidence"], lower["confidence"]), "corners": corners})
                break
        else:
            plates.append(upper)
    return [p for p in plates if plausible(p["mark"])]


def main():
    logging.disable(logging.WARNING)
    images = []
    for item in map(pathlib.Path, sys.argv[1:]):
        images += sorted(p for p in item.iterdir() if p.suffix.lower() in ENDINGS) if item.is_dir() else [item]
    if not images:
        sys.exit("rapidocr_reads.py: name images or folders of images")
    ocr = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
    cv2.setNumThreads(1)
    for path in images:
        picture = cv2.imread(str(path))
        if picture is None:
            print(f"{path}: not a picture", file=sys.stderr)
            continue
        started = time.perf_counter()
        found, _ = ocr(picture)
        ms = (time.perf_counter() - started) * 1000
        lines = [{"mark": spelt(text), "confidence": float(score), "corners": [[float(x), float(y)] for x, y in corners]}
                 for corners, text, score in found or []]
        plates = joined([line for line in lines if line["mark"]])
        print(json.dumps({"image": str(path), "ms": round(ms, 2), "plates": plates}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
