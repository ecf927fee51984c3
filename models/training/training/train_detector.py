"""Train the plate detector on rendered tiles."""

import numpy as np
import torch
from torch import nn

from . import augment, data, photos
from .detector import STRIDE, Detector, losses, targets
from .loop import Losses, Options, Trainer, options

CORNER_WEIGHT = 0.25


@torch.no_grad()
def validate(network, shards: data.Shards, limit: int = 1000, threshold: float = 0.35) -> dict[str, float]:
    """Recall at IoU 0.5, precision, and the mean corner error in parts of the plate's height."""
    shown = found = said = 0
    errors: list[float] = []
    for images, plates in shards.batches(20, limit):
        heat, corners = network(torch.from_numpy(images)[:, None].float() / 255.0)
        for chance, offsets, truth in zip(heat.sigmoid().numpy(), corners.numpy(), plates, strict=True):
            hits = photos.peaks(chance, offsets, threshold)
            said += len(hits)
            for row in truth[(truth[:, 0] >= 0) & (truth[:, 0] < len(data.LAYOUTS))]:
                shown += 1
                quad = row[1:].reshape(4, 2)
                best = max(hits, key=lambda h: photos.iou(h.corners, quad), default=None)
                if best is not None and photos.iou(best.corners, quad) >= 0.5:
                    found += 1
                    height = max(8.0, float(np.ptp(quad[:, 1])))
                    errors.append(float(np.abs(best.corners - quad).mean()) / height)
    result = {"recall": found / max(1, shown), "hits_per_plate": said / max(1, shown),
              "corner_error": float(np.mean(errors)) if errors else 1.0}
    return {name: round(value, 4) for name, value in result.items()}


@torch.no_grad()
def sure_score(network, shards: data.Shards, wrong: float = 0.004, limit: int = 1000, threshold: float = 0.35) -> float:
    """The lowest score such that at most `wrong` of the hits at or above it are no plate."""
    scores, false = [], []
    for images, plates in shards.batches(20, limit):
        heat, corners = network(torch.from_numpy(images)[:, None].float() / 255.0)
        for chance, offsets, truth in zip(heat.sigmoid().numpy(), corners.numpy(), plates, strict=True):
            known = [row[1:].reshape(4, 2) for row in truth[truth[:, 0] != data.NO_PLATE]]
            for hit in photos.peaks(chance, offsets, threshold):
                scores.append(hit.score)
                false.append(all(photos.iou(hit.corners, quad) < 0.2 for quad in known))
    order = np.argsort(-np.array(scores))
    share = np.cumsum(np.array(false)[order]) / np.arange(1, len(order) + 1)
    kept = np.nonzero(share <= wrong)[0]
    return round(float(np.clip(np.array(scores)[order[kept[-1]]], 0.5, 0.9)) if len(kept) else 0.9, 3)


def train(opts: Options) -> dict[str, float]:
    """Train as `opts` say; gives the validation of the averaged weights."""
    shards, held_out = data.scenes(opts.data), data.scenes([opts.validation])

    def draw(network: nn.Module, rng: np.random.Generator) -> Losses:
        images, plates = (torch.from_numpy(a) for a in shards.sample(rng, opts.batch))
        x, plates = augment.tiles(images, plates)
        wanted = targets(plates, x.shape[2] // STRIDE, x.shape[3] // STRIDE)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            heat, corners = network(x.contiguous(memory_format=torch.channels_last))
        focal, offset = losses(heat.float(), corners.float(), wanted)
        return {"heat": focal, "corners": CORNER_WEIGHT * offset}

    torch.manual_seed(opts.seed)
    return Trainer(Detector(), opts).train(draw, shards.refresh, lambda n: validate(n, held_out))


if __name__ == "__main__":
    train(options(__doc__, batch=16, rate=1.5e-3))
