"""Metrics: what a model's predictions on held-out rows are worth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.core.predictions import Floats, Predictions

Problem = Literal["regression", "classification"]
SMALLEST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Metric:
    """A figure about predictions. With a `row_loss`, it is `finish(mean(row_loss))` and smaller is
    better.
    """

    problem: Problem
    row_loss: Callable[[NDArray[Any], Predictions], Floats] | None = None
    finish: Callable[[Any], Any] = np.asarray
    score: Callable[[NDArray[Any], Predictions], float] | None = None
    needs_probabilities: bool = False


def absolute_error(y: NDArray[Any], predictions: Predictions) -> Floats:
    """Give |y - prediction| for each row."""
    return np.asarray(np.abs(y - predictions.values), dtype=np.float64)


def squared_error(y: NDArray[Any], predictions: Predictions) -> Floats:
    """Give (y - prediction)² for each row."""
    return np.asarray(np.square(y - predictions.values), dtype=np.float64)


def wrong_label(y: NDArray[Any], predictions: Predictions) -> Floats:
    """Give 1 for each row with a wrong label, else 0.

    >>> wrong_label(np.array(["a", "b"]), Predictions(np.array(["a", "a"]))).tolist()
    [0.0, 1.0]
    """
    return np.asarray(y != predictions.values, dtype=np.float64)


def log_loss(y: NDArray[Any], predictions: Predictions) -> Floats:
    """Give -log(probability of the true class) for each row; a class the model never saw has the
    smallest probability.

    >>> log_loss(np.array([1, 0]), Predictions(np.array([1, 1]), np.array([[0.5, 0.5], [0.25, 0.75]]), (0, 1))).round(3)
    array([0.693, 1.386])
    """
    return np.asarray(
        -np.log(np.clip(_probability_of(y, predictions), SMALLEST, 1.0)), dtype=np.float64
    )


def brier(y: NDArray[Any], predictions: Predictions) -> Floats:
    """Give the sum over classes of (probability - truth)², for each row (Brier, 1950)."""
    probabilities = _given(predictions.probabilities)
    of_truth = _probability_of(y, predictions)
    return np.asarray(np.square(probabilities).sum(axis=1) - 2 * of_truth + 1, dtype=np.float64)


def _probability_of(y: NDArray[Any], predictions: Predictions) -> Floats:
    probabilities = _given(predictions.probabilities)
    found = np.zeros(len(y))
    for column, label in enumerate(predictions.classes):
        found = np.where(y == label, probabilities[:, column], found)
    return found


def _given(probabilities: Floats | None) -> Floats:
    if probabilities is None:
        raise ValueError("this metric needs probabilities, and the model gives none")
    return probabilities


def _r2(y: NDArray[Any], predictions: Predictions) -> float:
    spread = float(np.square(y - y.mean()).sum())
    return 1 - float(squared_error(y, predictions).sum()) / spread if spread else float("nan")


def _accuracy(y: NDArray[Any], predictions: Predictions) -> float:
    return 1 - float(wrong_label(y, predictions).mean())


def _balanced_accuracy(y: NDArray[Any], predictions: Predictions) -> float:
    """Average the recall over the classes that occur."""
    wrong = wrong_label(y, predictions)
    return float(np.mean([1 - wrong[y == label].mean() for label in np.unique(y)]))


METRICS: dict[str, Metric] = {
    "mae": Metric("regression", absolute_error),
    "rmse": Metric("regression", squared_error, finish=np.sqrt),
    "r2": Metric("regression", score=_r2),
    "log_loss": Metric("classification", log_loss, needs_probabilities=True),
    "brier": Metric("classification", brier, needs_probabilities=True),
    "zero_one_loss": Metric("classification", wrong_label),
    "accuracy": Metric("classification", score=_accuracy),
    "balanced_accuracy": Metric("classification", score=_balanced_accuracy),
}


def metric_names(problem: Problem) -> list[str]:
    """List the metrics of a problem.

    >>> metric_names("regression")
    ['mae', 'rmse', 'r2']
    """
    return [name for name, metric in METRICS.items() if metric.problem == problem]


def row_losses(name: str, y: NDArray[Any], predictions: Predictions) -> Floats:
    """Give the loss of each row, shape (n,), whose mean the metric is made of."""
    row_loss = METRICS[name].row_loss
    if row_loss is None:
        raise ValueError(f"{name} has no loss for each row")
    return row_loss(y, predictions)


def measure(problem: Problem, y: NDArray[Any], predictions: Predictions) -> dict[str, float]:
    """Compute every metric of the problem that the predictions allow.

    >>> measure("regression", np.array([1.0, 3.0]), Predictions(np.array([2.0, 3.0])))
    {'mae': 0.5, 'rmse': 0.7071067811865476, 'r2': 0.5}
    """
    metrics = {}
    for name in metric_names(problem):
        metric = METRICS[name]
        if metric.needs_probabilities and predictions.probabilities is None:
            continue
        metrics[name] = (
            metric.score(y, predictions)
            if metric.score
            else loss(name, row_losses(name, y, predictions))
        )
    return metrics


def loss(name: str, losses: Floats) -> float:
    """Make the metric from the losses of the rows.

    >>> loss("rmse", np.array([9.0, 16.0, 11.0]))
    3.4641016151377544
    """
    return float(METRICS[name].finish(losses.mean()))
