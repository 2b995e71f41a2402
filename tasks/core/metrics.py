"""Metrics: how well predictions match the targets of held-out rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.core.predictions import Floats, Predictions

Problem = Literal["regression", "classification"]
SMALLEST = float(np.finfo(np.float64).eps)  # the least probability, as scikit-learn's log_loss has


@dataclass(frozen=True)
class Metric:
    """How a metric is computed.

    A metric with a `row_loss` is `finish(mean(row_loss))`, and smaller is better: such a metric
    can compare two models row by row. All others have a `score` of the whole.
    """

    problem: Problem
    row_loss: Callable[[NDArray[Any], Predictions], Floats] | None = None
    finish: Callable[[Any], Any] = np.asarray
    score: Callable[[NDArray[Any], Predictions], float] | None = None
    needs_probabilities: bool = False


def absolute_error(y: NDArray[Any], predictions: Predictions) -> Floats:
    """Return |y - prediction| of each row, shape (n,)."""
    errors = np.abs(y - predictions.values)
    return np.asarray(errors, dtype=np.float64)


def squared_error(y: NDArray[Any], predictions: Predictions) -> Floats:
    """Return (y - prediction)² of each row, shape (n,)."""
    squares = np.square(y - predictions.values)
    return np.asarray(squares, dtype=np.float64)


def wrong_label(y: NDArray[Any], predictions: Predictions) -> Floats:
    """Return 1 for each row with a wrong label and 0 for the others, shape (n,).

    >>> wrong_label(np.array(["a", "b"]), Predictions(np.array(["a", "a"]))).tolist()
    [0.0, 1.0]
    """
    wrong = y != predictions.values
    return np.asarray(wrong, dtype=np.float64)


def log_loss(y: NDArray[Any], predictions: Predictions) -> Floats:
    """Return -log(probability of the true class) of each row, shape (n,).

    A class that the model never saw has the smallest probability.

    >>> probabilities = np.array([[0.5, 0.5], [0.25, 0.75]])
    >>> log_loss(np.array([1, 0]), Predictions(np.array([1, 1]), probabilities, (0, 1))).round(3)
    array([0.693, 1.386])
    """
    probability = _probability_of_truth(y, predictions)
    losses = -np.log(np.clip(probability, SMALLEST, 1.0))
    return np.asarray(losses, dtype=np.float64)


def brier(y: NDArray[Any], predictions: Predictions) -> Floats:
    """Return the sum over classes of (probability - truth)² of each row, shape (n,) (Brier, 1950).

    >>> probabilities = np.array([[0.5, 0.5], [0.25, 0.75]])
    >>> brier(np.array([1, 0]), Predictions(np.array([1, 1]), probabilities, (0, 1))).tolist()
    [0.5, 1.125]
    """
    probabilities = _probabilities(predictions)
    squares = np.square(probabilities).sum(axis=1)

    # Only the true class has a truth of 1: (p - 1)² is p² - 2p + 1.
    of_truth = _probability_of_truth(y, predictions)
    losses = squares - 2 * of_truth + 1
    return np.asarray(losses, dtype=np.float64)


def _probability_of_truth(y: NDArray[Any], predictions: Predictions) -> Floats:
    probabilities = _probabilities(predictions)
    found = np.zeros(len(y))
    for column, label in enumerate(predictions.classes):
        is_true = y == label
        found = np.where(is_true, probabilities[:, column], found)
    return found


def _probabilities(predictions: Predictions) -> Floats:
    if predictions.probabilities is None:
        raise ValueError("this metric needs probabilities, and the model gives none")
    return predictions.probabilities


def _r2(y: NDArray[Any], predictions: Predictions) -> float:
    """Return the share of the variance that is explained; NaN if y is constant."""
    deviations = y - y.mean()
    spread = float(np.square(deviations).sum())
    if not spread:
        return float("nan")

    unexplained = float(squared_error(y, predictions).sum())
    return 1 - unexplained / spread


def _accuracy(y: NDArray[Any], predictions: Predictions) -> float:
    share_wrong = float(wrong_label(y, predictions).mean())
    return 1 - share_wrong


def _balanced_accuracy(y: NDArray[Any], predictions: Predictions) -> float:
    """Return the mean recall of the classes that occur."""
    wrong = wrong_label(y, predictions)
    recalls = []
    for label in np.unique(y):
        share_wrong = wrong[y == label].mean()
        recalls.append(1 - share_wrong)
    return float(np.mean(recalls))


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
    """Return the loss of each row, shape (n,), from whose mean the metric is computed.

    Raises:
        ValueError: the metric has no loss of each row, or needs probabilities that are missing.
    """
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

        if metric.score:
            metrics[name] = metric.score(y, predictions)
        else:
            metrics[name] = loss(name, row_losses(name, y, predictions))
    return metrics


def loss(name: str, losses: Floats) -> float:
    """Compute a metric from the losses of the rows, shape (n,).

    >>> loss("rmse", np.array([9.0, 16.0, 11.0]))
    3.4641016151377544
    """
    finish = METRICS[name].finish
    return float(finish(losses.mean()))
