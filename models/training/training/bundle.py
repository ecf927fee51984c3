"""A bundle as the product loads it: manifest and ONNX files, run with ONNX Runtime on one thread."""

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from PIL import Image

from . import photos
from .data import LAYOUTS, decode
from .detector import REACH, STRIDE, cells

MANIFEST = "manifest.json"

# As in the product: below this confidence the corners of a light plate of one row get a second look.
HARDLY_READ = 0.5
SINGLE_ROW, CROSS_BOUNDARY = LAYOUTS.index("single_row"), LAYOUTS.index("cross_boundary")


@dataclass
class Read:
    """One plate found and read."""

    mark: str
    layout: str
    confidence: float
    score: float
    kind: int
    corners: np.ndarray


def digest(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def session(file: Path) -> ort.InferenceSession:
    """A session that uses one thread, as the product's do."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def ramp(shape: Sequence[int]) -> np.ndarray:
    """The input of this shape that golden outputs are recorded for."""
    y, x = np.mgrid[: math.prod(shape[:-1]), : shape[-1]]
    return (((x * 7 + y * 13) % 256) / 255.0).astype(np.float32).reshape(shape)


def softmax(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Chances along the last axis. Same shape."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def confidence(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Chance that every slot is right, empty ones too: logits [.., 10, 40] -> [..]."""
    return softmax(logits, temperature).max(-1).prod(-1)


class DetectorFiles:
    """A detector as it was exported: what looks at the whole picture, and what tells corners where there is a plate."""

    def __init__(self, sight: Path, corners: Path) -> None:
        self._sight, self._corners = session(sight), session(corners)
        _, rows, columns, _ = self._sight.get_inputs()[0].shape
        self.height, self.width = (rows - 1) * STRIDE, (columns - 1) * STRIDE

    def maps(self, pixels: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        """f32 [height, width] in 0..1 -> chances [3, h, w] and corners [8, h, w], the corners only where a chance is at or
        above the threshold."""
        given = cells(torch.from_numpy(pixels[None, None])).numpy()
        heat, features = (values[0] for values in self._sight.run(["heat", "features"], {"pixels": given}))
        chances = 1.0 / (1.0 + np.exp(-heat.transpose(2, 0, 1)))
        corners = np.zeros((8, *heat.shape[:2]), np.float32)
        for y, x in zip(*np.nonzero(chances.max(0) >= threshold), strict=True):
            corners[:, y, x] = self._corners_of(features, y, x)
        return chances, corners

    def _corners_of(self, features: np.ndarray, y: int, x: int) -> np.ndarray:
        """Corners f32 [8] of one cell, from features [h, w, C]."""
        top, left = (min(max(at - REACH // 2, 0), end - REACH) for at, end in zip((y, x), features.shape[:2], strict=True))
        window = features[None, top : top + REACH, left : left + REACH]
        return self._corners.run(["corners"], {"features": window})[0][0, y - top, x - left]


class Bundle:
    """A loaded bundle."""

    def __init__(self, folder: Path) -> None:
        self.manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        detector = self.manifest["detector"]
        parts = [detector["corners"], self.manifest["reader"], self.manifest.get("refiner")]
        for entry in [*detector["files"], *filter(None, parts)]:
            if digest(folder / entry["file"]) != entry["sha256"]:
                raise ValueError(f"{entry['file']} is not the file that {folder / MANIFEST} names: export again")
        corners = folder / detector["corners"]["file"]
        self._detectors = [DetectorFiles(folder / entry["file"], corners) for entry in detector["files"]]
        self._reader = session(folder / self.manifest["reader"]["file"])
        refiner = self.manifest.get("refiner")
        self._refiner = session(folder / refiner["file"]) if refiner else None

    def detect(self, picture: Image.Image) -> list[photos.Hit]:
        """Plates in a grey picture, corners in its own pixels."""
        detector = min(self._detectors, key=lambda d: abs(d.width / d.height - picture.width / picture.height))
        frame, factor = photos.letterbox(picture, detector.height, detector.width)
        settings = self.manifest["detector"]
        threshold = settings["score_threshold"]
        chances, corners = detector.maps((frame / np.float32(255.0)).astype(np.float32), threshold)
        hits = photos.peaks(chances, corners, threshold, settings["nms_iou"], settings["stride"])
        pixels = np.asarray(picture)
        return [photos.Hit(h.kind, h.score, self.refined(pixels, h.corners * factor)) for h in hits]

    def refined(self, picture: np.ndarray, corners: np.ndarray) -> np.ndarray:
        """Corners f32 [4, 2] of u8 [H, W] after a closer look, where the bundle can take one."""
        if self._refiner is None:
            return corners
        margin = self.manifest["refiner"]["margin"]
        crop = (photos.rectify(picture, corners, margin)[None, None] / np.float32(255.0)).astype(np.float32)
        offsets = self._refiner.run(["offsets"], {"pixels": crop})[0].reshape(4, 2).clip(-margin, margin)
        inner = photos.plate_in_crop(margin)
        moved = inner + offsets * np.ptp(inner, axis=0)
        return photos.apply(photos.homography(inner, corners), moved)

    def logits(self, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """u8 [64, 160] -> slot logits [10, 40], layout logits [3]."""
        pixels = (crop[None, None] / np.float32(255.0)).astype(np.float32)
        logits, layout = self._reader.run(["logits", "layout"], {"pixels": pixels})
        return logits[0], layout[0]

    def read(self, picture: np.ndarray, corners: np.ndarray, score: float = 1.0, kind: int = SINGLE_ROW) -> Read:
        """Read the plate at `corners` f32 [4, 2] of u8 [H, W]; `score` and `kind` are how it was found."""
        settings = self.manifest["reader"]
        looks = []
        for view in settings["views"]:
            looks.append(self.logits(photos.rectify(picture, photos.seen_from(corners, view))))
            if len(looks) == 1 and confidence(looks[0][0], settings["temperature"]) >= settings["enough"]:
                break
        logits, layout = (np.mean(values, axis=0) for values in zip(*looks, strict=True))
        sure = float(confidence(logits, settings["temperature"]))
        return Read(decode(logits.argmax(-1)), LAYOUTS[int(layout.argmax())], sure, score, kind, corners)

    def read_closer(self, picture: np.ndarray, first: Read) -> Read:
        """A light plate of one row that is hardly read, once more at corners refined a second time; the likelier read stays."""
        if first.kind != SINGLE_ROW or first.confidence >= HARDLY_READ:
            return first
        second = self.read(picture, self.refined(picture, first.corners), first.score, first.kind)
        return second if second.confidence > first.confidence else first

    def _says_plate(self, read: Read) -> bool:
        """Whether what was read says that an unsure sighting is a plate; a dark one bears a Chinese character, or the
        detector was half sure of it."""
        settings = self.manifest["detector"]
        half_sure = (settings["score_threshold"] + settings.get("sure_score", 0.0)) / 2
        fits = not (read.kind == CROSS_BOUNDARY and read.mark.isascii()) or read.score >= half_sure
        return len(read.mark) >= 3 and read.confidence >= 0.1 and fits

    def reads(self, picture: Image.Image) -> tuple[list[Read], float]:
        """Every plate of a grey picture that was read at all, and the milliseconds it took."""
        began = time.perf_counter()
        pixels = np.asarray(picture)
        found = [self.read(pixels, hit.corners, hit.score, hit.kind) for hit in self.detect(picture)]
        least = self.manifest["thresholds"]["read_least"]
        sure = self.manifest["detector"].get("sure_score", 0.0)
        found = [self.read_closer(pixels, r) for r in found if r.score >= sure or self._says_plate(r)]
        kept = [r for r in found if r.mark and r.confidence >= least]
        return kept, 1e3 * (time.perf_counter() - began)
