"""Gates: each a check that a challenger has to pass."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.evaluation.bootstrap import relative_increase, upper_bound
from tasks.core.evaluation.evidence import ChampionLosses, segment_names
from tasks.core.evaluation.verdict import Gate, Verdict
from tasks.core.metrics import loss
from tasks.core.predictions import Floats
from tasks.core.spec.sections import ChampionGate, Limit, SegmentGate
from tasks.core.spec.spec import Spec


def judge(
    metrics: dict[str, float],
    losses: Floats,
    champion: ChampionLosses | None,
    rows: pa.Table,
    spec: Spec,
) -> Verdict:
    """Judge a challenger by every gate of the spec.

    Args:
        metrics: its metrics on the held-out rows.
        losses: its loss of each of these rows, shape (n,).
        champion: the champion's losses of the same rows, or nothing where there is no champion yet.
        rows: the held-out rows, for their segments.
        spec: the gates.
    """
    gates = judge_limits(metrics, spec.gates.limits)
    if champion is None:
        metric = spec.gates.champion.metric
        first = Gate(
            "not worse than the champion",
            True,
            None,
            "",
            f"there is no champion yet; {metric} is {metrics[metric]:.4g}",
        )
        return Verdict((*gates, first), len(rows))
    if champion.problem:
        gates.append(Gate("not worse than the champion", False, None, "", champion.problem))
        return Verdict(tuple(gates), len(rows), champion.rows_seen)
    judged = ~np.isnan(champion.losses)
    gates.append(judge_champion(losses[judged], champion.losses[judged], spec.gates.champion))
    names = segment_names(rows, spec)
    if names is not None:
        metric = spec.gates.champion.metric
        gates += judge_segments(
            losses[judged], champion.losses[judged], names[judged], spec.gates.segments, metric
        )
    return Verdict(tuple(gates), int(judged.sum()), champion.rows_seen)


MIN_SEGMENT_ROWS = 30  # fewer rows say nothing about a segment; they are shown and do not judge


def judge_limits(metrics: Mapping[str, float], limits: Mapping[str, Limit]) -> list[Gate]:
    """Check each limited metric; a figure that is missing or not a number does not pass.

    >>> [gate.reason for gate in judge_limits({"mae": 61.5}, {"mae": Limit(max=60)})]
    ['mae is 61.5, allowed is at most 60']
    """
    return [
        _judge_limit(name, metrics.get(name, float("nan")), limit) for name, limit in limits.items()
    ]


def _judge_limit(name: str, found: float, limit: Limit) -> Gate:
    low = -np.inf if limit.min is None else limit.min
    high = np.inf if limit.max is None else limit.max
    bounds = {"at least": limit.min, "at most": limit.max}
    allowed = " and ".join(
        f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None
    )
    return Gate(
        f"limit of {name}",
        bool(low <= found <= high),
        found,
        allowed,
        f"{name} is {found:.4g}, allowed is {allowed}",
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
        return Gate(
            name,
            False,
            None,
            allowed,
            "the champion was trained on every held-out row, so none can judge it",
        )
    rise = relative_increase(loss(gate.metric, challenger), loss(gate.metric, champion))
    bound = upper_bound(challenger, champion, gate, seed)
    reason = (
        f"{gate.metric} is {rise:+.1%} against the champion's on {len(champion):,} rows, and up to {bound:+.1%} "
        f"with {gate.confidence:.0%} confidence; allowed is {allowed}"
    )
    return Gate(name, bool(bound <= gate.margin), bound, allowed, reason)


def judge_segments(
    challenger: Floats, champion: Floats, segments: NDArray[np.str_], gate: SegmentGate, metric: str
) -> list[Gate]:
    """Check that in no segment the loss rises much; arrays have shape (n,)."""
    return [
        _judge_segment(name, challenger[segments == name], champion[segments == name], gate, metric)
        for name in np.unique(segments).tolist()
    ]


def _judge_segment(
    name: str, challenger: Floats, champion: Floats, gate: SegmentGate, metric: str
) -> Gate:
    rise = relative_increase(loss(metric, challenger), loss(metric, champion))
    few = len(champion) < MIN_SEGMENT_ROWS
    allowed = "too few rows to judge" if few else f"at most {gate.max_relative_loss:+.1%}"
    reason = (
        f"in segment {name}, {metric} is {rise:+.1%} against the champion's on {len(champion):,} rows; "
        f"allowed is {allowed}"
    )
    return Gate(
        f"segment {name}", bool(few or rise <= gate.max_relative_loss), rise, allowed, reason
    )


def pick_best(losses: Sequence[float]) -> int:
    """Give the position of the smallest loss; the first of equals, and never one that is not a
    number.

    >>> pick_best([0.3, float("nan"), 0.2, 0.2])
    2
    """
    ranked = [float("inf") if np.isnan(value) else value for value in losses]
    return ranked.index(min(ranked))
