"""Targets: the column that is predicted."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.errors import RequestError
from tasks.core.metrics import Problem
from tasks.core.tables.columns import ColumnKind, kind_of

LABELS_AS: dict[ColumnKind | None, pa.DataType] = {
    "numeric": pa.int64(),
    "boolean": pa.bool_(),
    "categorical": pa.string(),
}


def has_target(target: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return which rows have a target: neither null nor NaN."""
    is_valid = pc.is_valid(target)
    if not pa.types.is_floating(target.type):
        return is_valid

    is_nan = pc.fill_null(pc.is_nan(target), fill_value=False)
    return pc.and_(is_valid, pc.invert(is_nan))


def check_target(target: pa.ChunkedArray, name: str, problem: Problem) -> None:
    """Refuse a target that the problem cannot have.

    Raises:
        RequestError: it has no rows, infinite values, a type that does not suit the problem, or a
            single class.
    """
    if not len(target):
        raise RequestError(f"The target {name!r} is missing in every row.")

    if pa.types.is_floating(target.type) and not _is_finite(target):
        raise RequestError(f"The target {name!r} is infinite in some rows.")

    if problem == "regression":
        _check_numbers(target, name)
    else:
        _check_labels(target, name)
        check_classes(target, name, problem)


def _check_numbers(target: pa.ChunkedArray, name: str) -> None:
    if kind_of(target.type) != "numeric":
        raise RequestError(
            f"The target {name!r} is {target.type}, not a number: set `problem: classification`."
        )


def _check_labels(target: pa.ChunkedArray, name: str) -> None:
    kind = kind_of(target.type)
    if kind not in LABELS_AS:
        raise RequestError(f"The target {name!r} is {target.type}, which cannot be a class.")

    if pa.types.is_floating(target.type) and not _is_whole(target):
        raise RequestError(f"The target {name!r} has fractions: set `problem: regression`.")


def _is_finite(target: pa.ChunkedArray) -> bool:
    is_finite = pc.is_finite(target)
    return bool(pc.all(is_finite).as_py())


def _is_whole(target: pa.ChunkedArray) -> bool:
    is_whole = pc.equal(target, pc.floor(target))
    return bool(pc.all(is_whole).as_py())


def check_classes(target: pa.ChunkedArray, name: str, problem: Problem) -> None:
    """Refuse a classification with a single class.

    Raises:
        RequestError: all rows have the same class.
    """
    if problem != "classification":
        return

    classes = pc.unique(target).to_pylist()
    if len(classes) == 1:
        raise RequestError(
            f"The target {name!r} has one class only ({classes[0]!r}) in the rows that train: "
            "two are needed."
        )


def target_values(table: pa.Table, name: str, problem: Problem) -> NDArray[Any]:
    """Return the target as scikit-learn takes it, shape (n,).

    It is float64 for a regression; for a classification int64, bool, or strings as objects.
    """
    column = table[name]
    if problem == "regression":
        numbers = column.cast(pa.float64(), safe=False)
        return np.asarray(numbers.to_numpy())

    kind = kind_of(column.type)
    labels = column.cast(LABELS_AS[kind])
    return np.asarray(labels.to_numpy())
