"""From a margin to a chance of fraud, fitted on declarations that the model has not learnt from."""

import numpy as np

BINS = 24
# Chances are kept from 0 and 1: a few hundred declarations cannot show either.
FLOOR = 0.002


def isotonic(margin: np.ndarray, fraud: np.ndarray) -> dict[str, list[float]]:
    """A rising curve through bins of equal number: `margins` rise, `probabilities` never fall. Between two points it is a
    straight line, beyond the ends it is level."""
    order = np.argsort(margin, kind="stable")
    bins = [part for part in np.array_split(order, BINS) if len(part)]
    blocks = [[float(margin[b].mean()), float(fraud[b].sum()), float(len(b))] for b in bins]
    pooled: list[list[float]] = []
    for block in blocks:
        pooled.append(block)
        while len(pooled) > 1 and pooled[-2][1] / pooled[-2][2] >= pooled[-1][1] / pooled[-1][2]:
            last, before = pooled.pop(), pooled.pop()
            both = before[2] + last[2]
            pooled.append([(before[0] * before[2] + last[0] * last[2]) / both, before[1] + last[1], both])
    chances = [min(max(found / count, FLOOR), 1.0 - FLOOR) for _, found, count in pooled]
    return {"margins": [m for m, _, _ in pooled], "probabilities": chances}


def apply(curve: dict[str, list[float]], margin: np.ndarray) -> np.ndarray:
    """Chances f64 of margins."""
    return np.interp(margin.astype(np.float64), curve["margins"], curve["probabilities"])
