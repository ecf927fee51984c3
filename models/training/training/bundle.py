"""A bundle as the product loads it: manifest and ONNX files, run with ONNX Runtime on one thread."""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

from . import photos
from .data import LAYOUTS, decode

MANIFEST = "manifest.json"


@dataclass
class Read:
    """One plate found and read."""

    mark: str
    layout: str
    confidence: float
    score: float
    corners: np.ndarray


def digest(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def session(file: Path) -> ort.InferenceSession:
    """A session that uses one thread, as the product's do."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def ramp(height: int, width: int) -> np.ndarray:
    """The picture that golden outputs are recorded for: f32 [1, 1, height, width]."""
    y, x = np.mgrid[:height, :width]
    return (((x * 7 + y * 13) % 256) / 255.0).astype(np.float32)[None, None]


def softmax(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Chances along the last axis. Same shape."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def confidence(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Chance that every slot is right, empty ones too: logits [.., 10, 40] -> [..]."""
    return softmax(logits, temperature).max(-1).prod(-1)


class Bundle:
    """A loaded bundle."""

    def __init__(self, folder: Path) -> None:
        self.manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        parts = [self.manifest["reader"], self.manifest.get("refiner")]
        for entry in [*self.manifest["detector"]["files"], *filter(None, parts)]:
            if digest(folder / entry["file"]) != entry["sha256"]:
                raise ValueError(f"{entry['file']} is not the file that {folder / MANIFEST} names: export again")
        self._detectors = [
            (entry["height"], entry["width"], session(folder / entry["file"]))
            for entry in self.manifest["detector"]["files"]
        ]
        self._reader = session(folder / self.manifest["reader"]["file"])
        refiner = self.manifest.get("refiner")
        self._refiner = session(folder / refiner["file"]) if refiner else None

    def detect(self, picture: Image.Image) -> list[photos.Hit]:
        """Plates in a grey picture, corners in its own pixels."""
        height, width, detector = min(
            self._detectors, key=lambda d: abs(d[1] / d[0] - picture.width / picture.height)
        )
        frame, factor = photos.letterbox(picture, height, width)
        pixels = (frame[None, None] / np.float32(255.0)).astype(np.float32)
        heat, corners = detector.run(["heat", "corners"], {"pixels": pixels})
        settings = self.manifest["detector"]
        hits = photos.peaks(heat[0], corners[0], settings["score_threshold"], settings["nms_iou"], settings["stride"])
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

    def read(self, picture: np.ndarray, corners: np.ndarray, score: float = 1.0) -> Read:
        """Read the plate at `corners` f32 [4, 2] of u8 [H, W]."""
        views = self.manifest["reader"].get("views", [[0.0, 0.0, 0.0]])
        looks = [self.logits(photos.rectify(picture, photos.seen_from(corners, view))) for view in views]
        logits, layout = (np.mean(values, axis=0) for values in zip(*looks, strict=True))
        sure = float(confidence(logits, self.manifest["reader"]["temperature"]))
        return Read(decode(logits.argmax(-1)), LAYOUTS[int(layout.argmax())], sure, score, corners)

    def reads(self, picture: Image.Image) -> tuple[list[Read], float]:
        """Every plate of a grey picture that was read at all, and the milliseconds it took."""
        began = time.perf_counter()
        pixels = np.asarray(picture)
        found = [self.read(pixels, hit.corners, hit.score) for hit in self.detect(picture)]
        least = self.manifest["thresholds"]["read_least"]
        sure = self.manifest["detector"].get("sure_score", 0.0)
        found = [r for r in found if r.score >= sure or (len(r.mark) >= 2 and r.confidence >= 0.1)]
        kept = [r for r in found if r.mark and r.confidence >= least]
        return kept, 1e3 * (time.perf_counter() - began)
