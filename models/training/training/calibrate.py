"""How far the reader's confidence can be believed, measured on held-out rendered crops.

Half the crops are shown as rendered and half with the changes of training, for real crops are harder than
rendered ones and a temperature fitted to easy crops would promise too much.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from . import augment, data
from .bundle import confidence, softmax

# A reader: pixels f32 [N, 1, 64, 160] -> slot logits [N, 10, 40] and layout logits [N, 3].
Read = Callable[[Tensor], tuple[Tensor, Tensor]]

# How the product cuts a plate out for each look at it: shift to the right and down, and growth, in parts of its size. Where
# the first look is not clear the logits of all are averaged.
VIEWS = ((0.0, 0.0, 0.0), (0.015, 0.03, 0.0), (-0.015, -0.03, 0.0))

ERRORS_WHEN_CERTAIN = 0.001
# A single look has to be surer, for there is no other to contradict it.
ERRORS_AFTER_ONE_LOOK = ERRORS_WHEN_CERTAIN / 2
RIGHT_WHEN_WORTH_A_LOOK = 1 / 3


@dataclass
class Calibration:
    """What goes into the manifest, and what it was measured to give."""

    temperature: float
    enough: float
    read_certain: float
    read_least: float
    certain_yield: float
    certain_error: float
    looks: float

    def as_dict(self) -> dict[str, float]:
        """For the manifest."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


@torch.no_grad()
def logits_of(read: Read, shards: data.Shards, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Slot logits of each look [N, looks, 10, 40] and true classes [N, 10] over the crops, plain and changed."""
    torch.manual_seed(seed)
    logits, truth = [], []
    for images, text, _ in shards.batches(200):
        plain = torch.from_numpy(images)
        for pixels in (plain[:, None].float() / 255.0, augment.crops(plain)):
            looks = [np.asarray(read(augment.shifted(pixels, view))[0]) for view in VIEWS]
            logits.append(np.stack(looks, axis=1))
            truth.append(text)
    return np.concatenate(logits), np.concatenate(truth)


def best_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The one under which the true classes are least surprising."""

    def surprise(temperature: float) -> float:
        chances = np.take_along_axis(softmax(logits, temperature), truth[..., None].astype(int), -1)
        return float(-np.log(chances.clip(1e-12)).mean())

    return float(min(np.geomspace(0.3, 3.0, 60), key=surprise))


def certain_threshold(sure: np.ndarray, right: np.ndarray, errors: float = ERRORS_WHEN_CERTAIN) -> float:
    """The lowest confidence such that reads at or above it are wrong at most `errors` of the time."""
    order = np.argsort(-sure)
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    kept = np.nonzero(wrong <= errors)[0]
    return float(np.clip(sure[order[kept[-1]]], 0.5, 0.999)) if len(kept) else 0.999


def least_threshold(sure: np.ndarray, right: np.ndarray) -> float:
    """The confidence below which at most RIGHT_WHEN_WORTH_A_LOOK of reads are right."""
    order = np.argsort(sure)
    good = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    poor = np.nonzero(good <= RIGHT_WHEN_WORTH_A_LOOK)[0]
    return float(np.clip(sure[order[poor[-1]]], 0.02, 0.4)) if len(poor) else 0.02


def calibrate(reader: Read, shards: data.Shards) -> Calibration:
    """Measure the reader on held-out crops."""
    looks, truth = logits_of(reader, shards)
    first, all_looks = looks[:, 0], looks.mean(1)
    temperature = best_temperature(all_looks, truth)

    def judged(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return confidence(logits, temperature), (logits.argmax(-1) == truth).all(-1)

    enough = certain_threshold(*judged(first), ERRORS_AFTER_ONE_LOOK)
    clear = judged(first)[0] >= enough
    sure, right = (np.where(clear, one, several) for one, several in zip(judged(first), judged(all_looks), strict=True))
    certain, least = certain_threshold(sure, right), least_threshold(sure, right)
    kept = sure >= certain
    error = float((~right[kept]).mean()) if kept.any() else 0.0
    mean_looks = float(1 + (looks.shape[1] - 1) * (~clear).mean())
    return Calibration(temperature, max(enough, certain), certain, least, float(kept.mean()), error, mean_looks)
