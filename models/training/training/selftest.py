"""A minute's proof that training works here: tiny sets, twenty steps each, export, and a run of the bundle.

With `--render-bin` the sets are rendered; without, they are random pictures of the same form.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from . import export, pipeline
from .bundle import Bundle
from .data import CLASSES, CROP_HEIGHT, CROP_WIDTH, LAYOUTS, NO_PLATE, SLOTS

STEPS = 20
TILE_HEIGHT, TILE_WIDTH, PLATES_A_TILE = 256, 320, 8


def random_sets(work: Path, count: int = 64) -> None:
    """Shards of noise with bright rectangles for plates."""
    rng = np.random.default_rng(1)
    for part in ("train", "val"):
        for kind in pipeline.SETS:
            (work / f"{kind}-{part}").mkdir(parents=True, exist_ok=True)
        prefix = f"{work}/plates-{part}/plates-00000"
        np.save(f"{prefix}.images.npy", rng.integers(0, 256, (count, CROP_HEIGHT, CROP_WIDTH), np.uint8))
        np.save(f"{prefix}.text.npy", rng.integers(0, CLASSES, (count, SLOTS), np.uint8))
        np.save(f"{prefix}.layout.npy", rng.integers(0, len(LAYOUTS), count, np.uint8))
        tiles = rng.integers(0, 90, (count, TILE_HEIGHT, TILE_WIDTH), np.uint8)
        rows = np.full((count, PLATES_A_TILE, 9), NO_PLATE, np.float32)
        for tile, row in zip(tiles, rows, strict=True):
            x, y = rng.integers(8, 180), rng.integers(8, 180)
            tile[y : y + 40, x : x + 120] += 150
            row[0] = [0, x, y, x + 120, y, x + 120, y + 40, x, y + 40]
        np.save(f"{work}/corners-{part}/corners-00000.images.npy", rng.integers(0, 256, (count, CROP_HEIGHT, CROP_WIDTH), np.uint8))
        np.save(f"{work}/corners-{part}/corners-00000.offsets.npy", rng.normal(0, 0.03, (count, 8)).astype(np.float32))
        np.save(f"{work}/scenes-{part}/scenes-00000.images.npy", tiles)
        np.save(f"{work}/scenes-{part}/scenes-00000.plates.npy", rows)


def main() -> None:
    """Command line."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--render-bin", type=Path, help="the `datasets` binary")
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work, out = Path(folder), Path(folder) / "bundle"
        if args.render_bin:
            pipeline.render(args.render_bin, work, share=0.001, seed=1)
        else:
            random_sets(work)
        pipeline.train(work, minutes=1.0, steps=STEPS)
        export.export(pipeline.source(work, "0.0.0", "selftest", seed=1), out)
        pipeline.start(work, out.with_name("bundle-fp32"))
        reads, ms = Bundle(out).reads(Image.new("L", (1280, 960), 90))
        print(f"selftest passed: the bundle was exported in 8 and 32 bits, taken up again, checked and run in {ms:.0f} ms with {len(reads)} reads")


if __name__ == "__main__":
    main()
