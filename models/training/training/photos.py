"""What the product does around the networks, re-done in NumPy so that training can measure whole bundles.

The product's own code is Rust; this follows it closely enough to compare models, no more. Corners are
pixels with (0, 0) at the outer corner of the first pixel, f32 [4, 2], clockwise from the plate's top left.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .data import CROP_HEIGHT, CROP_MARGIN, CROP_WIDTH
from .detector import CORNER_UNIT, STRIDE

PAD_GREY = 114


@dataclass
class Hit:
    """One plate found: its class, its score 0..1 and its corners f32 [4, 2]."""

    kind: int
    score: float
    corners: np.ndarray


def box(corners: np.ndarray) -> tuple[float, float, float, float]:
    """The box around corners: x0, y0, x1, y1."""
    (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
    return float(x0), float(y0), float(x1), float(y1)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of the boxes around two sets of corners."""
    ax0, ay0, ax1, ay1 = box(a)
    bx0, by0, bx1, by1 = box(b)
    shared = max(0.0, min(ax1, bx1) - max(ax0, bx0)) * max(0.0, min(ay1, by1) - max(ay0, by0))
    union = (ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - shared
    return shared / union if union > 0 else 0.0


def letterbox(picture: Image.Image, height: int, width: int) -> tuple[np.ndarray, float]:
    """Scaled to fit, padded right and below: u8 [height, width], and the factor from frame to picture pixels."""
    scale = min(width / picture.width, height / picture.height)
    size = round(picture.width * scale), round(picture.height * scale)
    frame = np.full((height, width), PAD_GREY, np.uint8)
    frame[: size[1], : size[0]] = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
    return frame, 1.0 / scale


def peaks(heat: np.ndarray, corners: np.ndarray, threshold: float, overlap: float = 0.4, stride: int = STRIDE) -> list[Hit]:
    """Plates in heat [3, h, w] and corners [8, h, w], best first, overlapping ones dropped."""
    padded = np.pad(heat, ((0, 0), (1, 1), (1, 1)))
    h, w = heat.shape[1:]
    around = np.max([padded[:, y : y + h, x : x + w] for y in range(3) for x in range(3)], axis=0)
    kinds, ys, xs = np.nonzero((heat >= threshold) & (heat >= around))
    hits: list[Hit] = []
    for i in np.argsort(-heat[kinds, ys, xs]):
        k, y, x = kinds[i], ys[i], xs[i]
        centre = (np.array([x, y]) + 0.5) * stride
        quad = corners[:, y, x].reshape(4, 2) * CORNER_UNIT + centre
        if all(iou(quad, other.corners) <= overlap for other in hits):
            hits.append(Hit(int(k), float(heat[k, y, x]), quad))
    return hits


def homography(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The plane-to-plane map [3, 3] that takes four points [4, 2] to four others."""
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    solved = np.linalg.solve(np.array(rows, float), np.asarray(target, float).reshape(8))
    return np.append(solved, 1.0).reshape(3, 3)


def sample(picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear grey values of u8 [H, W] at positions of any one shape; the edge repeats outside."""
    h, w = picture.shape
    x, y = np.clip(x - 0.5, 0, w - 1), np.clip(y - 0.5, 0, h - 1)
    x0, y0 = x.astype(int), y.astype(int)
    x1, y1 = np.minimum(x0 + 1, w - 1), np.minimum(y0 + 1, h - 1)
    fx, fy = x - x0, y - y0
    upper = picture[y0, x0] * (1 - fx) + picture[y0, x1] * fx
    lower = picture[y1, x0] * (1 - fx) + picture[y1, x1] * fx
    return upper * (1 - fy) + lower * fy


def apply(plane_map: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points f32 [n, 2] through a plane-to-plane map [3, 3]."""
    u, v, scale = plane_map @ np.column_stack([points, np.ones(len(points))]).T
    return np.column_stack([u / scale, v / scale]).astype(np.float32)


def plate_in_crop(margin: float) -> np.ndarray:
    """Where the plate's corners [4, 2] are in a crop with this margin around it."""
    inner_w, inner_h = CROP_WIDTH / (1 + 2 * margin), CROP_HEIGHT / (1 + 2 * margin)
    x0, y0 = (CROP_WIDTH - inner_w) / 2, (CROP_HEIGHT - inner_h) / 2
    x1, y1 = x0 + inner_w, y0 + inner_h
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def seen_from(corners: np.ndarray, view: tuple[float, float, float]) -> np.ndarray:
    """Corners f32 [4, 2] shifted along the plate's own edges, to the right and down, and grown, in parts of its size."""
    a, b, c, d = corners
    across, along = (b - a + c - d) / 2, (d - a + c - b) / 2
    right, down, growth = view
    centre = corners.mean(0)
    return (centre + (corners - centre) * (1 + growth) + right * across + down * along).astype(np.float32)


def rectify(picture: np.ndarray, corners: np.ndarray, margin: float = CROP_MARGIN) -> np.ndarray:
    """The plate at `corners` of u8 [H, W], straightened with a margin around it: u8 [64, 160]."""
    inner = plate_in_crop(margin)
    inner_w, inner_h = np.ptp(inner, axis=0)
    to_picture = homography(inner, corners)
    side = np.linalg.norm(corners - np.roll(corners, -1, 0), axis=1)
    fine = (side[0] + side[2]) / 2 <= inner_w * 1.25 and (side[1] + side[3]) / 2 <= inner_h * 1.25
    steps = (0.5,) if fine else (0.25, 0.75)
    total = np.zeros((CROP_HEIGHT, CROP_WIDTH))
    for dy in steps:
        for dx in steps:
            x, y = np.meshgrid(np.arange(CROP_WIDTH) + dx, np.arange(CROP_HEIGHT) + dy)
            u, v, scale = np.tensordot(to_picture, np.stack([x, y, np.ones_like(x)]), 1)
            total += sample(picture, u / scale, v / scale)
    return (total / len(steps) ** 2 + 0.5).astype(np.uint8)
