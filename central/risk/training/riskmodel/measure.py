"""How good scores are: area under the curve, precision and recall where a share is inspected, calibration."""

from typing import Any

import numpy as np

SHARES = (0.01, 0.02, 0.05, 0.10)
BINS = 10


def auc(fraud: np.ndarray, score: np.ndarray) -> float:
    """Chance that a fraud scores above a declaration that is none; ties count half."""
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    bad = int(fraud.sum())
    return float((rank[fraud == 1].sum() - bad * (bad + 1) / 2) / (bad * (len(fraud) - bad)))


def inspected(fraud: np.ndarray, score: np.ndarray, share: float) -> tuple[float, float]:
    """Precision and recall where the highest `share` is inspected. Ties stay in the order of the file."""
    count = max(1, int(np.floor(len(score) * share + 0.5)))
    found = fraud[np.argsort(-score, kind="stable")[:count]].sum()
    return float(found / count), float(found / max(1, fraud.sum()))


def figures(fraud: np.ndarray, score: np.ndarray) -> dict[str, Any]:
    """Area under the curve, and precision and recall at each share."""
    at = {f"{share:.2f}": inspected(fraud, score, share) for share in SHARES}
    return {
        "auc": auc(fraud, score),
        "precision": {share: both[0] for share, both in at.items()},
        "recall": {share: both[1] for share, both in at.items()},
    }


def calibration(fraud: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """Brier score, and expected calibration error over ten bins of equal width."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    gaps = [abs(fraud[bins == b].sum() - probability[bins == b].sum()) for b in range(BINS)]
    return {"brier": float(np.mean((probability - fraud) ** 2)), "ece": float(sum(gaps) / len(fraud))}
