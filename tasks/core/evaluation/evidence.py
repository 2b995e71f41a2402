"""Evidence: what models show on held-out rows, and what a verdict is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.metrics import METRICS, measure, row_losses
from tasks.core.model.open import Model, open_model
from tasks.core.model.predictor import Predictor, make_predictor
from tasks.core.model.version import ModelVersion
from tasks.core.predictions import Floats, Predictions, check_predictions
from tasks.core.spec.spec import Spec
from tasks.core.tables.columns import Column
from tasks.core.tables.schemas import check_schema
from tasks.core.tables.split import seen_in_training
from tasks.core.tables.targets import target_values


@dataclass(frozen=True)
class Evidence:
    """The metrics on all held-out rows and by segment.

    `losses` is the loss of each row in the gate's metric, shape (n,).
    """

    metrics: dict[str, float]
    segments: dict[str, dict[str, float]]
    losses: Floats


@dataclass(frozen=True)
class ChampionLosses:
    """The champion's loss of each row, shape (n,): NaN where it cannot judge.

    `problem` says why it judges none.
    """

    losses: Floats
    rows_seen: int
    problem: str = ""


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
    """The champion's loss of each held-out row, in a file.

    It is NaN where the champion may have been trained on the row, or cannot predict it.
    """

    version: int
    losses: str
    rows_seen: int
    problem: str = ""


def measure_rows(pipeline: Any, rows: pa.Table, features: Sequence[Column], spec: Spec) -> Evidence:
    """Measure a pipeline on rows it was not trained on."""
    check_model(pipeline, spec)
    proba = spec.problem == "classification" and hasattr(pipeline, "predict_proba")
    predictor = make_predictor(pipeline, tuple(features))
    predictions = _predict(predictor, rows, proba=proba)

    y = target_values(rows, spec.data.target, spec.problem)
    metrics = measure(spec.problem, y, predictions)
    losses = row_losses(spec.gates.champion.metric, y, predictions)

    by_segment: dict[str, dict[str, float]] = {}
    names = segment_names(rows, spec)
    if names is not None:
        for name in np.unique(names).tolist():
            mask = names == name
            by_segment[name] = measure(spec.problem, y[mask], predictions.where(mask))

    return Evidence(metrics, by_segment, losses)


def _predict(predictor: Predictor, rows: pa.Table, *, proba: bool) -> Predictions:
    return check_predictions(predictor.predict(rows, proba=proba), len(rows))


def check_model(pipeline: Any, spec: Spec) -> None:
    """Refuse a model, fitted here or elsewhere, that cannot do what the spec asks for.

    Raises:
        RequestError: it is no estimator, or gives no probabilities where some are needed.
    """
    if not (hasattr(pipeline, "predict") and hasattr(pipeline, "get_params")):
        raise RequestError(f"{type(pipeline).__name__} is no scikit-learn estimator.")

    metric = spec.gates.champion.metric
    is_needed = spec.scoring.proba or METRICS[metric].needs_probabilities
    if is_needed and not hasattr(pipeline, "predict_proba"):
        raise RequestError(
            f"The model gives no probabilities, which scoring.proba or {metric} needs."
        )


def champion_losses(
    champion: ModelVersion,
    rows: pa.Table,
    spec: Spec,
    open_champion: Callable[[ModelVersion], Model] = open_model,
) -> ChampionLosses:
    """Measure the champion with the features it takes; `problem` says why it cannot be measured.

    Args:
        champion: the version in use, fetched.
        rows: the held-out rows.
        spec: the problem, the target and the gate's metric.
        open_champion: opens the model.
    """
    try:
        if champion.problem:
            raise RequestError(champion.problem)
        model = open_champion(champion)
        seen = seen_in_training(rows, model.metadata.split)
        losses = loss_of_each_row(model, rows, spec)
    except AfterfitError as error:
        reason = str(error).rstrip(".")
        problem = f"the champion cannot be compared, because {reason}"
        return ChampionLosses(np.full(len(rows), np.nan), 0, problem)

    return ChampionLosses(np.where(seen, np.nan, losses), int(seen.sum()))


def loss_of_each_row(model: Model, rows: pa.Table, spec: Spec) -> Floats:
    """Return a registered model's loss of each row in the gate's metric, shape (n,).

    Raises:
        AfterfitError: it cannot predict the rows, is about another problem, or knows none of the
            target's classes.
    """
    metadata = model.metadata
    pipeline = model.predictor.pipeline
    if metadata.problem != spec.problem:
        raise RequestError(f"it is about {metadata.problem}, the spec about {spec.problem}")
    check_schema(rows.schema, metadata.features, [], "the held-out rows")

    metric = spec.gates.champion.metric
    proba = METRICS[metric].needs_probabilities
    if proba and not hasattr(pipeline, "predict_proba"):
        raise RequestError(f"it gives no probabilities, which {metric} needs")
    predictions = _predict(model.predictor, rows, proba=proba)

    y = target_values(rows, spec.data.target, spec.problem)
    if spec.problem == "classification" and not set(y.tolist()) & set(pipeline.classes_.tolist()):
        raise RequestError(f"it knows none of the classes of {spec.data.target!r}")
    return row_losses(metric, y, predictions)


def segment_names(rows: pa.Table, spec: Spec) -> NDArray[np.str_] | None:
    """Return the name of each row's segment, or None where the spec has no segments."""
    if spec.data.segment is None:
        return None
    return np.asarray([_segment_name(value) for value in rows[spec.data.segment].to_pylist()])


def _segment_name(value: Any) -> str:
    """Name a segment by its value.

    >>> _segment_name(1.0), _segment_name("north"), _segment_name(None)
    ('1', 'north', '(missing)')
    """
    if value is None:
        return "(missing)"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
