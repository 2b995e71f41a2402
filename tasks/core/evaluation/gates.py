"""The gates: every check that a challenger has to pass."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from tasks.core.evaluation.champion_gate import champion_gates
from tasks.core.evaluation.comparison import Comparison
from tasks.core.evaluation.evidence import ChampionLosses
from tasks.core.evaluation.leak_gates import leak_gates
from tasks.core.evaluation.limit_gates import limit_gates
from tasks.core.evaluation.segment_gates import segment_gates
from tasks.core.evaluation.verdict import Gate, Verdict
from tasks.core.predictions import Floats
from tasks.core.spec.spec import Spec
from tasks.core.tables.columns import Column

GATES: tuple[Callable[[Comparison], list[Gate]], ...] = (
    limit_gates,
    champion_gates,
    segment_gates,
    leak_gates,
)


def judge(
    metrics: dict[str, float],
    losses: Floats,
    champion: ChampionLosses | None,
    rows: pa.Table,
    spec: Spec,
    train: pa.Table,
    features: tuple[Column, ...],
) -> Verdict:
    """Judge a challenger by every gate of the spec.

    Args:
        metrics: its metrics on the held-out rows.
        losses: its loss of each of these rows, shape (n,).
        champion: the champion's losses of the same rows, or None where there is no champion yet.
        rows: the held-out rows, for their segments.
        spec: the gates.
        train: the rows that train, to be searched for leaks.
        features: the features in them.
    """
    comparison = Comparison(metrics, losses, champion, rows, spec, train, features)

    gates: list[Gate] = []
    for judge_by in GATES:
        gates += judge_by(comparison)

    rows_judging = int(comparison.judging.sum())
    rows_seen = champion.rows_seen if champion else 0
    return Verdict(tuple(gates), rows_judging, rows_seen)


def pick_best(losses: Sequence[float]) -> int:
    """Return the position of the smallest loss: the first of equals; NaN counts as infinite.

    >>> pick_best([0.3, float("nan"), 0.2, 0.2])
    2
    """
    ranked = [float("inf") if np.isnan(value) else value for value in losses]
    return ranked.index(min(ranked))
