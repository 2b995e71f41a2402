"""Evidence: what models show on held-out rows, and what a verdict is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.metrics import METRICS, measure, row_losses
from tasks.core.model.metadata import MODEL, ModelMetadata, read_metadata
from tasks.core.model.predictor import make_predictor
from tasks.core.model.skops_file import load_pipeline
from tasks.core.predictions import Floats, Predictions, check_predictions
from tasks.core.spec.spec import Spec
from tasks.core.tables.columns import Column
from tasks.core.tables.schemas import check_schema
from tasks.core.tables.split import seen_in_training
from tasks.core.tables.targets import target_values


@dataclass(frozen=True)
class Evidence:
    """Figures over all held-out rows and by segment, and the loss of each row in the gate's metric,
    shape (n,).
    """

    metrics: dict[str, float]
    segments: dict[str, dict[str, float]]
    losses: Floats


@dataclass(frozen=True)
class ChampionLosses:
    """The champion's loss of each row, shape (n,): NaN where it cannot judge. `problem` says why it
    judges none.
    """

    losses: Floats
    rows_seen: int
    problem: str = ""


def measure_rows(pipeline: Any, rows: pa.Table, features: Sequence[Column], spec: Spec) -> Evidence:
    """Measure a pipeline on rows it was not trained on."""
    check_model(pipeline, spec)
    y = target_values(rows, spec.data.target, spec.problem)
    predictions = _predict(pipeline, rows, features, proba=_has_probabilities(pipeline, spec))
    names = segment_names(rows, spec)
    parts = {} if names is None else {name: names == name for name in np.unique(names).tolist()}
    by_segment = {
        name: measure(spec.problem, y[mask], predictions.where(mask))
        for name, mask in parts.items()
    }
    return Evidence(
        measure(spec.problem, y, predictions),
        by_segment,
        row_losses(spec.gates.champion.metric, y, predictions),
    )


def _predict(
    pipeline: Any, rows: pa.Table, features: Sequence[Column], *, proba: bool
) -> Predictions:
    return check_predictions(
        make_predictor(pipeline, tuple(features)).predict(rows, proba=proba), len(rows)
    )


def check_model(pipeline: Any, spec: Spec) -> None:
    """Refuse a model, fitted here or elsewhere, that cannot do what the spec asks for.

    Raises:
        RequestError: it is no estimator, or gives no probabilities where some are needed.
    """
    if not (hasattr(pipeline, "predict") and hasattr(pipeline, "get_params")):
        raise RequestError(f"{type(pipeline).__name__} is no scikit-learn estimator.")
    metric = spec.gates.champion.metric
    needs = spec.scoring.proba or METRICS[metric].needs_probabilities
    if needs and not hasattr(pipeline, "predict_proba"):
        raise RequestError(
            f"The model gives no probabilities, which scoring.proba or {metric} needs."
        )


def _has_probabilities(pipeline: Any, spec: Spec) -> bool:
    return spec.problem == "classification" and hasattr(pipeline, "predict_proba")


def champion_losses(folder: Path, rows: pa.Table, spec: Spec) -> ChampionLosses:
    """Measure the champion in a folder with the features it takes; why it cannot be measured is
    told in `problem`.
    """
    none = ChampionLosses(np.full(len(rows), np.nan), 0)
    try:
        card = read_metadata(folder)
        pipeline = load_pipeline(folder / MODEL)
        seen = seen_in_training(rows, card.split)
        return ChampionLosses(
            np.where(seen, np.nan, loss_of_each_row(pipeline, card, rows, spec)), int(seen.sum())
        )
    except AfterfitError as error:
        why = f"the champion cannot be compared: {str(error).rstrip('.')}"
        reason = f"{why}; `afterfit promote --force` goes on without it"
        return replace(none, problem=reason)


def loss_of_each_row(pipeline: Any, card: ModelMetadata, rows: pa.Table, spec: Spec) -> Floats:
    """Give a registered model's loss of each row in the gate's metric, shape (n,).

    Raises:
        AfterfitError: it cannot answer, or its predictions are about something else than the spec's
            target.
    """
    metric = spec.gates.champion.metric
    if card.spec.problem != spec.problem:
        raise RequestError(f"it is about {card.spec.problem}, the spec about {spec.problem}")
    check_schema(rows.schema, card.features, [], "the held-out rows")
    needs = METRICS[metric].needs_probabilities
    if needs and not hasattr(pipeline, "predict_proba"):
        raise RequestError(f"it gives no probabilities, which {metric} needs")
    predictions = _predict(pipeline, rows, card.features, proba=needs)
    y = target_values(rows, spec.data.target, spec.problem)
    if spec.problem == "classification" and not set(y.tolist()) & set(pipeline.classes_.tolist()):
        raise RequestError(f"it knows none of the classes of {spec.data.target!r}")
    return row_losses(metric, y, predictions)


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


@dataclass(frozen=True)
class Measured:
    """What a model showed on the held-out rows: its metrics, and in a file the loss of each row."""

    candidate: str
    path: str
    metrics: dict[str, float]
    segments: dict[str, dict[str, float]]
    losses: str


@dataclass(frozen=True)
class MeasuredChampion:
    """The champion's loss of each held-out row; NaN where it may have been trained on it, or cannot
    answer.
    """

    version: int
    losses: str
    rows_seen: int
    problem: str = ""
