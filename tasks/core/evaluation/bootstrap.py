"""The paired bootstrap: an upper bound of the relative rise in loss."""

import numpy as np

from tasks.core.metrics import METRICS
from tasks.core.predictions import Floats
from tasks.core.spec.sections import ChampionGate

RESAMPLES = 2_000
MAX_UNITS = (
    20_000  # beyond this many rows, random groups of rows are resampled: the same law, bounded work
)


def upper_bound(challenger: Floats, champion: Floats, gate: ChampionGate, seed: int = 0) -> float:
    """Bound the relative rise in loss from above by a paired bootstrap: both models on the same
    resampled rows.

    >>> same = np.array([1.0, 2.0, 3.0])
    >>> upper_bound(same, same, ChampionGate(metric="mae"))
    0.0
    """
    chance = np.random.default_rng(seed)
    pairs = _grouped(np.stack([challenger, champion]), chance)
    units = pairs.shape[1]
    finish = METRICS[gate.metric].finish
    rises = np.empty(RESAMPLES)
    for position in range(RESAMPLES):
        counts = np.bincount(chance.integers(0, units, units), minlength=units)
        challenger_loss, champion_loss = finish(pairs @ counts / len(champion))
        rises[position] = relative_increase(challenger_loss, champion_loss)
    return float(np.quantile(rises, gate.confidence, method="higher"))


def _grouped(pairs: Floats, chance: np.random.Generator) -> Floats:
    """Sum the losses of random groups of rows where there are more rows than units; shape (2,
    units).
    """
    rows = pairs.shape[1]
    if rows <= MAX_UNITS:
        return pairs
    group = chance.permutation(np.arange(rows) % MAX_UNITS)
    return np.stack([np.bincount(group, weights=losses, minlength=MAX_UNITS) for losses in pairs])


def relative_increase(challenger: float, champion: float) -> float:
    """Give the rise in loss relative to the champion's; equal losses, also zeros, rise by nothing.

    >>> relative_increase(1.1, 1.0), relative_increase(0.0, 0.0), relative_increase(0.1, 0.0)
    (0.10000000000000009, 0.0, inf)
    """
    if challenger == champion:
        return 0.0
    return float(challenger / champion - 1) if champion else float("inf")
