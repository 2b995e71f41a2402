"""Evidence: what models show on held-out rows, and what a verdict is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.card import Card
from tasks.core.columns import Column, check_schema
from tasks.core.errors import AfterfitError
from tasks.core.metrics import METRICS, Floats, measure, row_losses
from tasks.core.scorer import answer
from tasks.core.spec import Spec
from tasks.core.split import seen_in_training
from tasks.core.tables import target_values
from tasks.core.verdict import Gate, Verdict, judge_champion, judge_limits, judge_segments


@dataclass(frozen=True)
class Evidence:
    """Figures over all held-out rows and by segment, and the loss of each row in the gate's metric, shape (n,)."""

    figures: dict[str, float]
    segments: dict[str, dict[str, float]]
    losses: Floats


@dataclass(frozen=True)
class ChampionLosses:
    """The champion's loss of each row, shape (n,): NaN where it cannot judge. `problem` says why it judges none."""

    losses: Floats
    rows_seen: int
    problem: str = ""


def measure_rows(pipeline: Any, rows: pa.Table, features: Sequence[Column], spec: Spec) -> Evidence:
    """Measure a pipeline on rows it was not trained on."""
    y = target_values(rows, spec.data.target, spec.problem)
    answers = answer(pipeline, rows, features, proba=_has_probabilities(pipeline, spec))
    names = segment_names(rows, spec)
    parts = {} if names is None else {name: names == name for name in np.unique(names).tolist()}
    by_segment = {name: measure(spec.problem, y[mask], answers.where(mask)) for name, mask in parts.items()}
    return Evidence(measure(spec.problem, y, answers), by_segment, row_losses(spec.gates.champion.metric, y, answers))


def _has_probabilities(pipeline: Any, spec: Spec) -> bool:
    return spec.problem == "classification" and hasattr(pipeline, "predict_proba")


def loss_of_each_row(pipeline: Any, card: Card, rows: pa.Table, spec: Spec) -> ChampionLosses:
    """Measure the champion with the features it takes; a table it cannot read is told in `problem`."""
    none = np.full(len(rows), np.nan)
    metric = spec.gates.champion.metric
    seen = seen_in_training(rows, card.split)
    try:
        check_schema(rows.schema, card.features, [], "the held-out rows")
        needs = METRICS[metric].needs_probabilities
        answers = answer(pipeline, rows, card.features, proba=needs)
        losses = row_losses(metric, target_values(rows, spec.data.target, spec.problem), answers)
    except (AfterfitError, AttributeError, ValueError) as error:
        return ChampionLosses(none, int(seen.sum()), f"the champion cannot score the held-out rows: {error}")
    return ChampionLosses(np.where(seen, np.nan, losses), int(seen.sum()))


def segment_names(rows: pa.Table, spec: Spec) -> NDArray[np.str_] | None:
    """Name the segment of each row, or nothing where the spec has no segments."""
    if spec.data.segment is None:
        return None
    return np.asarray([_name(value) for value in rows[spec.data.segment].to_pylist()])


def _name(value: Any) -> str:
    """Name a segment's value.

    >>> _name(1.0), _name("north"), _name(None)
    ('1', 'north', '(missing)')
    """
    if value is None:
        return "(missing)"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def judge(
    figures: dict[str, float], losses: Floats, champion: ChampionLosses | None, rows: pa.Table, spec: Spec
) -> Verdict:
    """Judge a challenger by every gate of the spec.

    Args:
        figures: its metrics on the held-out rows.
        losses: its loss of each of these rows, shape (n,).
        champion: the champion's losses of the same rows, or nothing where there is no champion yet.
        rows: the held-out rows, for their segments.
        spec: the gates.
    """
    gates = judge_limits(figures, spec.gates.limits)
    if champion is None:
        metric = spec.gates.champion.metric
        first = Gate(
            "not worse than the champion",
            True,
            None,
            "",
            f"there is no champion yet; {metric} is {figures[metric]:.4g}",
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
        gates += judge_segments(losses[judged], champion.losses[judged], names[judged], spec.gates.segments, metric)
    return Verdict(tuple(gates), int(judged.sum()), champion.rows_seen)
