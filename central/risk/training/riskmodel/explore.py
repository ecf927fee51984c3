"""Whom to inspect, as the crate's `score::explore` chooses: `golden/explore.json` holds both to the same choice."""

from dataclasses import dataclass

import numpy as np

SOME_DRIFT, MUCH_DRIFT = 0.1, 0.25
RANDOM, EXPLOIT, EXPLORE = "random", "exploit", "explore"


@dataclass(frozen=True)
class Mix:
    """Shares of the budget; the rest is exploited."""

    random: float
    explore: float


CALM, SHIFTED = Mix(0.05, 0.05), Mix(0.40, 0.30)
ONLY_EXPLOIT, ONLY_RANDOM = Mix(0.0, 0.0), Mix(1.0, 0.0)


def for_drift(index: float) -> Mix:
    """The mix for a measured drift."""
    part = 1.0 if np.isnan(index) else min(max((index - SOME_DRIFT) / (MUCH_DRIFT - SOME_DRIFT), 0.0), 1.0)
    between = lambda calm, shifted: calm + (shifted - calm) * part  # noqa: E731
    return Mix(between(CALM.random, SHIFTED.random), between(CALM.explore, SHIFTED.explore))


def choose(probability: np.ndarray, novelty: np.ndarray, draw: np.ndarray, budget: int, mix: Mix) -> list[tuple[int, str]]:
    """Indices to inspect and why: the random stratum first, of everybody; then the surest; then the most hopeful."""
    budget = min(budget, len(draw))
    of_budget = lambda share: int(np.floor(budget * share + 0.5))  # noqa: E731
    random = min(of_budget(mix.random), budget)
    explore = min(of_budget(mix.explore), budget - random)
    hopeful = probability + np.sqrt(probability * (1.0 - probability)) * novelty
    chosen: list[tuple[int, str]] = []
    for count, stratum, key in (
        (random, RANDOM, -draw), (budget - random - explore, EXPLOIT, probability), (explore, EXPLORE, hopeful),
    ):  # fmt: skip
        taken = {index for index, _ in chosen}
        ranked = [int(i) for i in np.argsort(-key, kind="stable") if int(i) not in taken]
        chosen += [(index, stratum) for index in ranked[:count]]
    return chosen
