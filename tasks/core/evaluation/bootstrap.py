"""The paired bootstrap: an upper bound of the relative rise in loss."""

import numpy as np

from tasks.core.metrics import METRICS
from tasks.core.predictions import Floats
from tasks.core.spec.sections import ChampionGate

RESAMPLES = 2_000
# Above this, resample random groups of rows instead of rows: same distribution, bounded cost.
MAX_UNITS = 20_000


def upper_bound(challenger: Floats, champion: Floats, gate: ChampionGate, seed: int = 0) -> float:
    """Return an upper confidence bound of the relative rise in loss.

    Each resample takes the same rows of both models (Efron and Tibshirani, 1993, chapter 8).

    Args:
        challenger: losses of the challenger, shape (n,).
        champion: losses of the champion on the same rows, shape (n,).
        gate: the metric that the losses belong to, and the one-sided confidence.
        seed: of the resamples.

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
        drawn = chance.integers(0, units, units)
        counts = np.bincount(drawn, minlength=units)
        losses = pairs @ counts / len(champion)
        challenger_loss, champion_loss = finish(losses)
        rises[position] = relative_increase(challenger_loss, champion_loss)

    return float(np.quantile(rises, gate.confidence, method="higher"))


def _grouped(pairs: Floats, chance: np.random.Generator) -> Floats:
    """Return the losses of rows, or of at most `MAX_UNITS` random groups, shape (2, units)."""
    rows = pairs.shape[1]
    if rows <= MAX_UNITS:
        return pairs

    group = chance.permutation(np.arange(rows) % MAX_UNITS)
    sums = [np.bincount(group, weights=losses, minlength=MAX_UNITS) for losses in pairs]
    return np.stack(sums)


def relative_increase(challenger: float, champion: float) -> float:
    """Return the rise in loss relative to the champion's, which is 0 for equal losses.

    >>> relative_increase(1.1, 1.0), relative_increase(0.0, 0.0), relative_increase(0.1, 0.0)
    (0.10000000000000009, 0.0, inf)
    """
    if challenger == champion:
        return 0.0
    if not champion:
        return float("inf")
    return float(challenger / champion - 1)
