"""The verdict: whether a challenger may go live, with the numbers behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.core.metrics import METRICS, Floats, loss
from tasks.core.spec import ChampionGate, Limit, SegmentGate

RESAMPLES = 2_000
MAX_UNITS = 20_000  # beyond this many rows, random groups of rows are resampled: the same law, bounded work
MIN_SEGMENT_ROWS = 30  # fewer rows say nothing about a segment; they are shown and do not judge


@dataclass(frozen=True)
class Gate:
    """One check: what was found, what is allowed, and a sentence about it."""

    name: str
    passed: bool
    found: float | None
    allowed: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of all gates."""

    gates: tuple[Gate, ...]
    rows: int
    rows_seen_by_champion: int = 0

    @property
    def passed(self) -> bool:
        """Whether every gate let the challenger through."""
        return all(gate.passed for gate in self.gates)

    @property
    def reasons(self) -> list[str]:
        """What spoke against the challenger, one sentence a gate."""
        return [gate.reason for gate in self.gates if not gate.passed]


def judge_limits(figures: Mapping[str, float], limits: Mapping[str, Limit]) -> list[Gate]:
    """Check each limited metric; a figure that is missing or not a number does not pass.

    >>> [gate.reason for gate in judge_limits({"mae": 61.5}, {"mae": Limit(max=60)})]
    ['mae is 61.5, allowed is at most 60']
    """
    return [_judge_limit(name, figures.get(name, float("nan")), limit) for name, limit in limits.items()]


def _judge_limit(name: str, found: float, limit: Limit) -> Gate:
    low = -np.inf if limit.min is None else limit.min
    high = np.inf if limit.max is None else limit.max
    bounds = {"at least": limit.min, "at most": limit.max}
    allowed = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)
    return Gate(
        f"limit of {name}", bool(low <= found <= high), found, allowed, f"{name} is {found:.4g}, allowed is {allowed}"
    )


def judge_champion(challenger: Floats, champion: Floats, gate: ChampionGate, seed: int = 0) -> Gate:
    """Check that the challenger is not worse than the champion beyond the margin.

    Args:
        challenger: losses of the challenger, shape (n,).
        champion: losses of the champion on the same rows, shape (n,).
        gate: the metric, the one-sided confidence and the margin of the relative rise in loss.
        seed: of the paired bootstrap (Efron and Tibshirani, 1993, chapter 8).
    """
    name, allowed = "not worse than the champion", f"at most {gate.margin:+.1%}"
    if not len(champion):
        return Gate(name, False, None, allowed, "the champion was trained on every held-out row, so none can judge it")
    rise = relative_rise(loss(gate.metric, challenger), loss(gate.metric, champion))
    bound = upper_bound(challenger, champion, gate, seed)
    reason = (
        f"{gate.metric} is {rise:+.1%} against the champion's on {len(champion):,} rows, and up to {bound:+.1%} "
        f"with {gate.confidence:.0%} confidence; allowed is {allowed}"
    )
    return Gate(name, bool(bound <= gate.margin), bound, allowed, reason)


def upper_bound(challenger: Floats, champion: Floats, gate: ChampionGate, seed: int = 0) -> float:
    """Bound the relative rise in loss from above by a paired bootstrap: both models on the same resampled rows.

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
        rises[position] = relative_rise(challenger_loss, champion_loss)
    return float(np.quantile(rises, gate.confidence, method="higher"))


def _grouped(pairs: Floats, chance: np.random.Generator) -> Floats:
    """Sum the losses of random groups of rows where there are more rows than units; shape (2, units)."""
    rows = pairs.shape[1]
    if rows <= MAX_UNITS:
        return pairs
    group = chance.permutation(np.arange(rows) % MAX_UNITS)
    return np.stack([np.bincount(group, weights=losses, minlength=MAX_UNITS) for losses in pairs])


def relative_rise(challenger: float, champion: float) -> float:
    """Give the rise in loss relative to the champion's; equal losses, also zeros, rise by nothing.

    >>> relative_rise(1.1, 1.0), relative_rise(0.0, 0.0), relative_rise(0.1, 0.0)
    (0.10000000000000009, 0.0, inf)
    """
    if challenger == champion:
        return 0.0
    return float(challenger / champion - 1) if champion else float("inf")


def judge_segments(
    challenger: Floats, champion: Floats, segments: NDArray[np.str_], gate: SegmentGate, metric: str
) -> list[Gate]:
    """Check that in no segment the loss rises much; arrays have shape (n,)."""
    return [
        _judge_segment(name, challenger[segments == name], champion[segments == name], gate, metric)
        for name in np.unique(segments).tolist()
    ]


def _judge_segment(name: str, challenger: Floats, champion: Floats, gate: SegmentGate, metric: str) -> Gate:
    rise = relative_rise(loss(metric, challenger), loss(metric, champion))
    few = len(champion) < MIN_SEGMENT_ROWS
    allowed = "too few rows to judge" if few else f"at most {gate.max_relative_loss:+.1%}"
    reason = (
        f"in segment {name}, {metric} is {rise:+.1%} against the champion's on {len(champion):,} rows; "
        f"allowed is {allowed}"
    )
    return Gate(f"segment {name}", bool(few or rise <= gate.max_relative_loss), rise, allowed, reason)


def pick_best(losses: Sequence[float]) -> int:
    """Give the position of the smallest loss; the first of equals, and never one that is not a number.

    >>> pick_best([0.3, float("nan"), 0.2, 0.2])
    2
    """
    ranked = [float("inf") if np.isnan(value) else value for value in losses]
    return ranked.index(min(ranked))
