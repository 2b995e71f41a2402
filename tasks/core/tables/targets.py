"""Targets: the column that is predicted."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.errors import RequestError
from tasks.core.metrics import Problem
from tasks.core.tables.columns import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable


def has_target(target: pa.ChunkedArray) -> pa.ChunkedArray:
    """Tell which rows have a target: neither null nor NaN."""
    present = pc.is_valid(target)
    if pa.types.is_floating(target.type):
        present = pc.and_(present, pc.invert(pc.fill_null(pc.is_nan(target), fill_value=False)))
    return present


def check_target(target: pa.ChunkedArray, name: str, problem: Problem) -> None:
    """Refuse a target that the problem cannot have."""
    kind = kind_of(target.type)
    if not len(target):
        raise RequestError(f"The target {name!r} is missing in every row.")
    if pa.types.is_floating(target.type) and not pc.all(pc.is_finite(target)).as_py():
        raise RequestError(f"The target {name!r} is infinite in some rows.")
    if problem == "regression":
        if kind != "numeric":
            raise RequestError(
                f"The target {name!r} is {target.type}, not a number: set `problem: classification`."
            )
        return
    if kind not in {"numeric", "categorical", "boolean"}:
        raise RequestError(f"The target {name!r} is {target.type}, which cannot be a class.")
    if pa.types.is_floating(target.type) and not pc.all(pc.equal(target, pc.floor(target))).as_py():
        raise RequestError(f"The target {name!r} has fractions: set `problem: regression`.")
    check_classes(target, name, problem)


def check_classes(target: pa.ChunkedArray, name: str, problem: Problem) -> None:
    """Refuse a classification with fewer than two classes."""
    if (
        problem == "classification"
        and (classes := pc.unique(target).to_pylist())
        and len(classes) < 2  # noqa: PLR2004
    ):
        raise RequestError(
            f"The target {name!r} has one class only ({classes[0]!r}) in the rows that train: two are needed."
        )


def target_values(table: pa.Table, name: str, problem: Problem) -> NDArray[Any]:
    """Give the target as scikit-learn takes it, shape (n,): float64 numbers, or labels as int64,
    bool or str.
    """
    column = table[name]
    if problem == "regression":
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())
    kind = kind_of(column.type)
    types: dict[str | None, Callable[[], pa.ChunkedArray]] = {
        "numeric": lambda: column.cast(pa.int64()),
        "boolean": lambda: column,
        "categorical": lambda: column.cast(pa.string()),
    }
    values = types[kind]().to_numpy()
    return np.asarray(values, dtype=object if kind == "categorical" else values.dtype)
