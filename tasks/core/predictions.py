"""Predictions: what a model predicts for some rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.errors import AfterfitError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Predictions:
    """What a model predicts for n rows.

    `values` are the predictions, of shape (n,). For a classifier with probabilities,
    `probabilities` has shape (n, k) and `classes` names its k columns.
    """

    values: NDArray[Any]
    probabilities: Floats | None = None
    classes: tuple[Any, ...] = ()

    def where(self, mask: NDArray[np.bool_]) -> "Predictions":
        """Keep the predictions for some of the rows."""
        probabilities = None if self.probabilities is None else self.probabilities[mask]
        return Predictions(self.values[mask], probabilities, self.classes)


def check_shape(predictions: Predictions, rows: int) -> None:
    """Refuse predictions that are not one for each row."""
    if predictions.values.ndim != 1:
        raise AfterfitError(
            f"the model gave {predictions.values.shape[-1]} predictions for each row: one is what can be scored"
        )
    for found in (predictions.values, predictions.probabilities):
        if found is not None and len(found) != rows:
            raise AfterfitError(f"the model gave {len(found):,} predictions for {rows:,} rows")


def are_finite(predictions: Predictions) -> NDArray[np.bool_]:
    """Tell of each row whether its predictions are finite numbers, or no numbers at all; shape
    (n,).
    """
    finite = np.ones(len(predictions.values), dtype=bool)
    for found in (predictions.values, predictions.probabilities):
        if found is not None and found.dtype.kind == "f":
            finite &= np.isfinite(found).reshape(len(finite), -1).all(axis=1)
    return finite


def check_predictions(predictions: Predictions, rows: int) -> Predictions:
    """Refuse predictions that are not one for each row, or not all finite.

    Raises:
        AfterfitError: with the first row that has none.
    """
    check_shape(predictions, rows)
    finite = are_finite(predictions)
    if not finite.all():
        raise AfterfitError(
            f"the model gave predictions that are no finite numbers, first in row {np.argmin(finite)}"
        )
    return predictions
