"""Segments: in none of them may the challenger be much worse than the champion."""

import numpy as np
from numpy.typing import NDArray

from tasks.core.evaluation.bootstrap import relative_increase
from tasks.core.evaluation.comparison import Comparison
from tasks.core.evaluation.evidence import segment_names
from tasks.core.evaluation.verdict import Gate
from tasks.core.metrics import loss
from tasks.core.predictions import Floats
from tasks.core.spec.sections import SegmentGate

MIN_SEGMENT_ROWS = 30  # fewer rows say nothing about a segment; they are shown and do not judge


def segment_gates(comparison: Comparison) -> list[Gate]:
    """Return a gate for each segment; none without segments or a champion to compare with."""
    champion = comparison.champion
    if champion is None or champion.problem:
        return []
    names = segment_names(comparison.rows, comparison.spec)
    if names is None:
        return []

    gates = comparison.spec.gates
    judging = comparison.judging
    return judge_segments(
        comparison.losses[judging],
        champion.losses[judging],
        names[judging],
        gates.segments,
        gates.champion.metric,
    )


def judge_segments(
    challenger: Floats, champion: Floats, segments: NDArray[np.str_], gate: SegmentGate, metric: str
) -> list[Gate]:
    """Check that the loss rises much in no segment.

    Args:
        challenger: losses of the challenger, shape (n,).
        champion: losses of the champion on the same rows, shape (n,).
        segments: the segment of each row, shape (n,).
        gate: the relative rise in loss that is allowed in any one segment.
        metric: what the losses are of.
    """
    gates = []
    for name in np.unique(segments).tolist():
        inside = segments == name
        gates.append(_judge_segment(name, challenger[inside], champion[inside], gate, metric))
    return gates


def _judge_segment(
    name: str, challenger: Floats, champion: Floats, gate: SegmentGate, metric: str
) -> Gate:
    rise = relative_increase(loss(metric, challenger), loss(metric, champion))

    passed = bool(rise <= gate.max_relative_loss)
    allowed = f"at most {gate.max_relative_loss:+.1%}"
    if len(champion) < MIN_SEGMENT_ROWS:
        passed = True
        allowed = "too few rows to judge"

    reason = (
        f"in segment {name}, {metric} is {rise:+.1%} against the champion's "
        f"on {len(champion):,} rows; allowed is {allowed}"
    )
    return Gate(f"segment {name}", passed, rise, allowed, reason)
