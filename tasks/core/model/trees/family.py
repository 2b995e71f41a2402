"""A family of estimators: how the leaves of its trees are summed, and what is made of the sums."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Columns = Sequence[NDArray[Any]]
Sums = Callable[[Columns], NDArray[np.float64]]
Predicted = tuple[NDArray[Any], NDArray[Any] | None]


class PredictFromSums(Protocol):
    """A function that makes the predictions of an estimator from the sums of its leaves."""

    def __call__(self, estimator: Any, sums: NDArray[np.float64], *, proba: bool) -> Predicted:
        """Return predictions, and with `proba` probabilities; the sums are (rows, outputs)."""


@dataclass(frozen=True)
class Family:
    """How estimators of one kind predict.

    Attributes:
        prepare_sums: makes the function that sums the leaves of a fitted estimator for columns.
        predict_from_sums: makes predictions of these sums, and with `proba` probabilities.
    """

    prepare_sums: Callable[[Any], Sums]
    predict_from_sums: PredictFromSums


def predict_with(estimator: Any, *, proba: bool, **attributes: Any) -> Predicted:
    """Predict by scikit-learn's own code, with some methods of an estimator replaced.

    The estimator itself stays as it is: a shallow copy gets the attributes, which hide the methods
    of its class.
    """
    stand_in = object.__new__(type(estimator))
    stand_in.__dict__.update(vars(estimator), **attributes)

    predictions = stand_in.predict(None)
    probabilities = stand_in.predict_proba(None) if proba else None
    return predictions, probabilities
