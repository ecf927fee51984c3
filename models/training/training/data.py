"""Rendered shards on disk, read as batches.

A shard is a few `.npy` files that share a prefix; the renderer (`datasets`) writes them.

    plates-00000.images.npy   u8  [n, 64, 160]   straightened crops
    plates-00000.text.npy     u8  [n, 10]        class at each slot: 0 none, i + 1 = ALPHABET[i]
    plates-00000.layout.npy   u8  [n]            index into LAYOUTS
    scenes-00000.images.npy   u8  [n, 256, 320]  grey tiles
    scenes-00000.plates.npy   f32 [n, 8, 9]      class, x0, y0 .. x3, y3; class -1 none, 255 ignore
    corners-00000.images.npy  u8  [n, 64, 160]   crops with a wide margin, straightened by the corners as found
    corners-00000.offsets.npy f32 [n, 8]         how far each true corner is from the found one

Files are memory-mapped, so a set may be larger than memory, and a directory may grow while it is read.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ粤港澳"
CLASSES = len(ALPHABET) + 1
SLOTS = 10
CROP_HEIGHT, CROP_WIDTH = 64, 160
CROP_MARGIN, CORNER_MARGIN = 0.06, 0.25
LAYOUTS = ("single_row", "double_row", "cross_boundary")
NO_PLATE, IGNORED = -1, 255

PLATE_FIELDS = ("images", "text", "layout")
SCENE_FIELDS = ("images", "plates")
CORNER_FIELDS = ("images", "offsets")


def decode(classes: Sequence[int]) -> str:
    """The mark that slot classes spell; empty slots are skipped."""
    return "".join(ALPHABET[c - 1] for c in classes if c > 0)


class Shards:
    """All complete shards of one kind under some directories.

    `kind` is the file prefix ("plates" or "scenes"), `fields` the files that make one shard.
    """

    def __init__(self, directories: Sequence[Path], kind: str, fields: Sequence[str]) -> None:
        self._directories = [Path(d) for d in directories]
        self._kind = kind
        self._fields = tuple(fields)
        self._shards: dict[Path, tuple[np.ndarray, ...]] = {}
        self._ends = np.zeros(0, np.int64)
        self.refresh()

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def refresh(self) -> None:
        """Take up shards that have appeared since; one that is still being written waits for the next call."""
        for directory in self._directories:
            for images in sorted(directory.glob(f"{self._kind}-*.images.npy")):
                if images not in self._shards and (arrays := self._open(images)):
                    self._shards[images] = arrays
        self._ends = np.cumsum([len(arrays[0]) for arrays in self._shards.values()])

    def _open(self, images: Path) -> tuple[np.ndarray, ...] | None:
        prefix = images.name.removesuffix("images.npy")
        try:
            arrays = tuple(np.load(images.with_name(f"{prefix}{f}.npy"), mmap_mode="r") for f in self._fields)
        except (FileNotFoundError, ValueError, EOFError):
            return None
        return arrays if len({len(a) for a in arrays}) == 1 else None

    def sample(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, ...]:
        """`count` rows drawn with replacement, one array per field."""
        if not len(self):
            places = ", ".join(map(str, self._directories))
            raise FileNotFoundError(f"no complete {self._kind} shard in {places}: render some first")
        return self.rows(np.sort(rng.integers(0, len(self), count)))

    def rows(self, indices: np.ndarray) -> tuple[np.ndarray, ...]:
        """The rows at ascending `indices`, one array per field."""
        shard_of = np.searchsorted(self._ends, indices, side="right")
        starts = np.concatenate([[0], self._ends[:-1]])
        shards = list(self._shards.values())
        parts: list[list[np.ndarray]] = [[] for _ in self._fields]
        for shard in np.unique(shard_of):
            inside = indices[shard_of == shard] - starts[shard]
            for part, array in zip(parts, shards[shard], strict=True):
                part.append(array[inside])
        return tuple(np.concatenate(part) for part in parts)

    def batches(self, size: int, limit: int | None = None):
        """Every row once, in order, `size` at a time, at most `limit` rows."""
        total = min(len(self), limit or len(self))
        for start in range(0, total, size):
            yield self.rows(np.arange(start, min(total, start + size)))


def plates(directories: Sequence[Path]) -> Shards:
    """The reader's shards."""
    return Shards(directories, "plates", PLATE_FIELDS)


def scenes(directories: Sequence[Path]) -> Shards:
    """The detector's shards."""
    return Shards(directories, "scenes", SCENE_FIELDS)


def corners(directories: Sequence[Path]) -> Shards:
    """The corner refiner's shards."""
    return Shards(directories, "corners", CORNER_FIELDS)
