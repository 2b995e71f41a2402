"""What is no input of an estimator, refused in scikit-learn's own words."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.family import Columns

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
INFINITE = 2


def check_columns(columns: Columns, features: int, name: str) -> Columns:
    """Return columns as floats: those of another type become what X would be.

    Raises:
        ValueError: there are no rows, or the columns would be no X.
    """
    if len(columns) != features:
        raise ValueError(
            f"X has {len(columns)} features, but {name} is expecting {features} features as input."
        )
    _check_shapes(columns)
    if not len(columns[0]):
        raise ValueError(
            f"Found array with 0 sample(s) while a minimum of 1 is required by {name}."
        )
    for number, column in enumerate(columns):
        _check_type(number, column.dtype)

    dtypes = [column.dtype for column in columns]
    common = np.result_type(*dtypes)
    return [column if column.dtype in FLOATS else column.astype(common) for column in columns]


def _check_shapes(columns: Columns) -> None:
    """Refuse columns of several lengths, or of more than one dimension."""
    shapes = {column.shape for column in columns}
    if len(shapes) > 1 or columns[0].ndim != 1:
        shown = ", ".join(map(str, sorted(shapes)))
        raise ValueError(f"the columns are of the shapes {shown}: all must be (rows,)")


def _check_type(number: int, dtype: np.dtype[Any]) -> None:
    """Refuse a column of anything but numbers and booleans."""
    largest = np.dtype(np.float64).itemsize
    if dtype.kind not in "fiub" or dtype.itemsize > largest:
        raise ValueError(
            f"column {number} is of type {dtype}: the kernel takes numbers and booleans"
        )


def refuse_floats(found: int, columns: list[NDArray[Any]], name: str, *, gaps: bool) -> None:
    """Refuse the values that scikit-learn refuses.

    Args:
        found: 1 for a missing value, plus 2 for an infinite one.
        columns: those that hold it.
        name: that of the estimator.
        gaps: whether it accepts missing values.

    Raises:
        ValueError: scikit-learn's own.
    """
    if gaps and not found & INFINITE:
        return
    from sklearn.utils import assert_all_finite  # noqa: PLC0415 - imported long ago, by the model

    with np.errstate(over="ignore"):
        X = np.column_stack(columns).astype(np.float32)
    assert_all_finite(X, allow_nan=gaps, estimator_name=name, input_name="X")
