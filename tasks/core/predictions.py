"""Predictions: what a model returns for some rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.errors import AfterfitError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Predictions:
    """What a model predicts for n rows.

    `values` are the predictions, shape (n,). For a classifier with probabilities,
    `probabilities` has shape (n, k) and `classes` names its k columns.
    """

    values: NDArray[Any]
    probabilities: Floats | None = None
    classes: tuple[Any, ...] = ()

    def where(self, mask: NDArray[np.bool_]) -> "Predictions":
        """Return the predictions of the rows that a mask of shape (n,) selects."""
        probabilities = self.probabilities
        if probabilities is not None:
            probabilities = probabilities[mask]
        return Predictions(self.values[mask], probabilities, self.classes)


def check_shape(predictions: Predictions, rows: int) -> None:
    """Refuse predictions that are not one for each row.

    Raises:
        AfterfitError: with the number of predictions found.
    """
    if predictions.values.ndim != 1:
        raise AfterfitError(
            f"the model gave {predictions.values.shape[-1]} predictions for each row: "
            "one is what can be scored"
        )

    for found in (predictions.values, predictions.probabilities):
        if found is not None and len(found) != rows:
            raise AfterfitError(f"the model gave {len(found):,} predictions for {rows:,} rows")


def are_finite(predictions: Predictions) -> NDArray[np.bool_]:
    """Return for each row whether its predictions are finite numbers or labels, shape (n,).

    >>> are_finite(Predictions(np.array([1.0, np.nan]))).tolist()
    [True, False]
    """
    finite = np.ones(len(predictions.values), dtype=bool)
    for found in (predictions.values, predictions.probabilities):
        if found is None or found.dtype.kind != "f":
            continue

        is_finite = np.isfinite(found)
        finite &= is_finite.all(axis=1) if found.ndim > 1 else is_finite
    return finite


def check_predictions(predictions: Predictions, rows: int) -> Predictions:
    """Return the predictions if there is a finite one for each row.

    Raises:
        AfterfitError: there is not; the message names the first row without a finite one.
    """
    check_shape(predictions, rows)

    finite = are_finite(predictions)
    if not finite.all():
        raise AfterfitError(
            "the model gave predictions that are no finite numbers, "
            f"first in row {np.argmin(finite)}"
        )
    return predictions
