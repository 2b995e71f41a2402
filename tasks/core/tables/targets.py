"""Targets: the column that is predicted."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.errors import RequestError
from tasks.core.metrics import Problem
from tasks.core.tables.columns import ColumnKind, kind_of
from tasks.core.tables.frames import decoded
from tasks.core.tables.written_values import DATES, Written, look_at_text

MOST_CLASSES = 20  # more may be numbers, or names of the rows
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
        RequestError: it has no rows, infinite values, a type that does not suit the problem, a
            single class, nearly as many classes as rows, or text that is meant as numbers.
    """
    if not len(target):
        raise RequestError(f"The target {name!r} is missing in every row.")

    target = _comparable(target)
    if pa.types.is_floating(target.type) and not _is_finite(target):
        raise RequestError(f"The target {name!r} is infinite in some rows.")

    _check_text(target, name, problem)
    if problem == "regression":
        _check_numbers(target, name)
    else:
        _check_labels(target, name)
        check_classes(target, name, problem)
        _check_repetition(target, name)


def _comparable(target: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a target with plain values, of a type that Arrow compares: not of 16 bits."""
    if pa.types.is_float16(target.type):
        return target.cast(pa.float32())
    return decoded(target)


def _check_text(target: pa.ChunkedArray, name: str, problem: Problem) -> None:
    """Refuse text that is meant as numbers or dates; a few such values may be classes."""
    written = look_at_text(target)
    if written is None:
        return
    if problem == "classification" and pc.count_distinct(target).as_py() <= MOST_CLASSES:
        return

    raise RequestError(
        f"The target {name!r} is text, and {written.found}: {target_advice(written)}."
    )


def target_advice(written: Written) -> str:
    """Return what to do about a target that is written so, as part of a sentence."""
    if written.what == DATES:
        return "a date cannot be predicted, so make it a number first, such as the days until then"
    return f"{written.advice}, and set `problem: regression`"


def _check_repetition(target: pa.ChunkedArray, name: str) -> None:
    """Refuse nearly as many classes as rows: none of them can be learned."""
    classes = len(pc.unique(target))
    if classes > MOST_CLASSES and 2 * classes > len(target):
        raise RequestError(
            f"The target {name!r} has {classes:,} classes in {len(target):,} rows, such as "
            f"{target[0].as_py()!r}: most occur once, so they cannot be learned; set "
            "`problem: regression` if they are amounts, or name another target."
        )


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

    try:
        target.cast(LABELS_AS[kind])
    except pa.ArrowInvalid as error:
        raise RequestError(
            f"The target {name!r} holds values that are no whole numbers of 64 bits, and so no "
            f"classes ({error}): set `problem: regression`."
        ) from error


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

    classes = pc.unique(_comparable(target)).to_pylist()
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
