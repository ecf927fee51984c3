"""Train the corner refiner on rendered crops with wide margins."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import augment, data
from .loop import Losses, Options, Trainer, options
from .refiner import Refiner

# Offsets below this are as good as none: about a pixel of the crop.
FINE = 0.01


def loss(offsets: Tensor, wanted: Tensor) -> Tensor:
    """Smooth L1 of f32 [N, 8] in units of FINE."""
    return F.smooth_l1_loss(offsets / FINE, wanted / FINE)


@torch.no_grad()
def validate(network, shards: data.Shards, limit: int = 4000) -> dict[str, float]:
    """Mean corner error in parts of the plate's size, as found and as refined, and how many plates got worse."""
    before, after = [], []
    for images, offsets in shards.batches(200, limit):
        said = network(torch.from_numpy(images)[:, None].float() / 255.0).numpy()
        before.append(np.abs(offsets).mean(1))
        after.append(np.abs(offsets - said).mean(1))
    found, refined = np.concatenate(before), np.concatenate(after)
    result = {"corner_error_found": float(found.mean()), "corner_error_refined": float(refined.mean()),
              "made_worse": float((refined > found + FINE).mean())}
    return {name: round(value, 4) for name, value in result.items()}


def train(opts: Options) -> dict[str, float]:
    """Train as `opts` say; gives the validation of the averaged weights."""
    shards, held_out = data.corners(opts.data), data.corners([opts.validation])

    def draw(network: nn.Module, rng: np.random.Generator) -> Losses:
        images, offsets = (torch.from_numpy(a) for a in shards.sample(rng, opts.batch))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            said = network(augment.light(images).contiguous(memory_format=torch.channels_last))
        return {"corners": loss(said.float(), offsets)}

    torch.manual_seed(opts.seed)
    return Trainer(Refiner(), opts).train(draw, shards.refresh, lambda n: validate(n, held_out))


if __name__ == "__main__":
    train(options(__doc__, batch=128, rate=2e-3))
