"""Predictions: what a model answers for some rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.errors import AfterfitError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """What a model answers for n rows.

    `predictions` has shape (n,). For a classifier with probabilities, `probabilities` has shape (n, k) and
    `classes` names its k columns.
    """

    predictions: NDArray[Any]
    probabilities: Floats | None = None
    classes: tuple[Any, ...] = ()

    def where(self, mask: NDArray[np.bool_]) -> "Answers":
        """Keep the answers for some of the rows."""
        probabilities = None if self.probabilities is None else self.probabilities[mask]
        return Answers(self.predictions[mask], probabilities, self.classes)


def check_shape(answers: Answers, rows: int) -> None:
    """Refuse answers that are not one for each row."""
    if answers.predictions.ndim != 1:
        raise AfterfitError(
            f"the model gave {answers.predictions.shape[-1]} answers for each row: one is what can be scored"
        )
    for found in (answers.predictions, answers.probabilities):
        if found is not None and len(found) != rows:
            raise AfterfitError(f"the model gave {len(found):,} answers for {rows:,} rows")


def are_finite(answers: Answers) -> NDArray[np.bool_]:
    """Tell of each row whether its answers are finite numbers, or no numbers at all; shape (n,)."""
    finite = np.ones(len(answers.predictions), dtype=bool)
    for found in (answers.predictions, answers.probabilities):
        if found is not None and found.dtype.kind == "f":
            finite &= np.isfinite(found).reshape(len(finite), -1).all(axis=1)
    return finite


def check_answers(answers: Answers, rows: int) -> Answers:
    """Refuse answers that are not one for each row, or not all finite.

    Raises:
        AfterfitError: with the first row that has none.
    """
    check_shape(answers, rows)
    finite = are_finite(answers)
    if not finite.all():
        raise AfterfitError(f"the model gave answers that are no finite numbers, first in row {np.argmin(finite)}")
    return answers
