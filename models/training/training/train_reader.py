"""Train the plate reader on rendered crops."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import augment, data
from .loop import Losses, Options, Trainer, options
from .reader import Reader

SMOOTHING = 0.03


def losses(network: nn.Module, images: Tensor, text: Tensor, layout: Tensor) -> Losses:
    """Loss of f32 [N, 1, 64, 160] against slot classes [N, 10] and layouts [N]."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits, layouts = network(images.contiguous(memory_format=torch.channels_last))
    characters = F.cross_entropy(logits.float().flatten(0, 1), text.flatten(), label_smoothing=SMOOTHING)
    return {"characters": characters, "layout": 0.1 * F.cross_entropy(layouts.float(), layout)}


@torch.no_grad()
def validate(network, shards: data.Shards, limit: int = 4000) -> dict[str, float]:
    """Part of the crops read exactly: all, and by layout."""
    right, layouts, layout_right = [], [], []
    for images, text, layout in shards.batches(200, limit):
        logits, said = network(torch.from_numpy(images)[:, None].float() / 255.0)
        right.append((logits.argmax(-1).numpy() == text).all(1))
        layouts.append(layout)
        layout_right.append(said.argmax(-1).numpy() == layout)
    exact, kind = np.concatenate(right), np.concatenate(layouts)
    result = {"exact": float(exact.mean()), "layout": float(np.concatenate(layout_right).mean())}
    for i, name in enumerate(data.LAYOUTS):
        if (kind == i).any():
            result[f"exact_{name}"] = float(exact[kind == i].mean())
    return {name: round(value, 4) for name, value in result.items()}


def train(opts: Options) -> dict[str, float]:
    """Train as `opts` say; gives the validation of the averaged weights."""
    shards, held_out = data.plates(opts.data), data.plates([opts.validation])

    def draw(network: nn.Module, rng: np.random.Generator) -> Losses:
        images, text, layout = (torch.from_numpy(a) for a in shards.sample(rng, opts.batch))
        return losses(network, augment.crops(images), text.long(), layout.long())

    torch.manual_seed(opts.seed)
    return Trainer(Reader(), opts).train(draw, shards.refresh, lambda n: validate(n, held_out))


if __name__ == "__main__":
    train(options(__doc__, batch=128, rate=2e-3))
