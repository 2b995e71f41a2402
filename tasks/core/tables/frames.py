"""Frames: how Arrow columns become what a pipeline takes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from tasks.core.tables.columns import NULL_STRING, NUMBER_KINDS, Column, ColumnKind, kind_of
from tasks.core.tables.timestamps import MICROSECONDS, to_microseconds

STORED_AS: dict[ColumnKind, pa.DataType] = {
    "boolean": pa.bool_(),
    "numeric": pa.float64(),
    "date": MICROSECONDS,
    "categorical": pa.string(),
}
IN_UTC = pa.timestamp("us", "UTC")
NANOSECONDS = r"(\.\d{6})\d{1,3}(\D|$)"  # of a time as ISO 8601 writes it
NOT_GIVEN = pa.array(pa.csv.ConvertOptions().null_values)  # as a missing number may be written


def stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cast a column to the one type its kind is stored as; other kinds stay as they are.

    Dates lose what is finer than a microsecond.

    >>> stored(pa.chunked_array([[1, None]])).to_pylist()
    [1.0, None]

    Raises:
        ArrowInvalid: a date is farther away than microseconds reach.
    """
    kind = kind_of(column.type)
    if kind is None:
        return column

    column = decoded(column)
    if kind == "date":
        return to_microseconds(column)

    # An integer beyond 2**53 is rounded to the nearest float64, as scikit-learn itself would.
    return column.cast(STORED_AS[kind], safe=False)


def decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column with plain values in place of a dictionary."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def given_strings(strings: pa.Array) -> pa.Array:
    """Return strings with null for those that mean a missing number or date.

    >>> given_strings(pa.array(["1.5", "NA", ""])).to_pylist()
    ['1.5', None, None]
    """
    is_missing = pc.is_in(strings, NOT_GIVEN)
    return pc.if_else(is_missing, NULL_STRING, strings)


def parse_dates(strings: pa.Array, *, zoned: bool | None = None) -> pa.Array:
    """Parse dates and times as ISO 8601 writes them, those with a zone as UTC.

    What is finer than a microsecond is cut off. With `zoned`, all must have a zone, or none may.

    >>> parse_dates(pa.array(["2024-01-31", None, "2024-01-31T12:30:00.5"])).to_pylist()[2]
    datetime.datetime(2024, 1, 31, 12, 30, 0, 500000)

    Raises:
        ValueError: some string is not a date.
    """
    given = given_strings(strings)
    try:
        return _parse_microseconds(given, zoned)
    except pa.ArrowInvalid:  # maybe for nothing but its nanoseconds
        shortened = pc.replace_substring_regex(given, NANOSECONDS, r"\1\2")

    try:
        return _parse_microseconds(shortened, zoned)
    except pa.ArrowInvalid as error:
        raise ValueError(str(error).partition(" as a scalar")[0]) from error


def _parse_microseconds(strings: pa.Array, zoned: bool | None) -> pa.Array:
    try:
        parsed = strings.cast(IN_UTC if zoned else MICROSECONDS)
    except pa.ArrowInvalid:
        if zoned is not None:
            raise
        parsed = strings.cast(IN_UTC)
    return to_microseconds(pa.chunked_array([parsed])).combine_chunks()


def to_frame(table: pa.Table, features: Sequence[Column]) -> pd.DataFrame:
    """Return what a pipeline takes: the features as a frame, in their order.

    Numbers and booleans are float64 (missing: NaN), strings are objects (missing: NaN), and dates
    are datetimes (missing: NaT).

    >>> table = pa.table({"a": [1, None], "b": ["x", None]})
    >>> to_frame(table, [Column("a", "numeric"), Column("b", "categorical")])
         a    b
    0  1.0    x
    1  NaN  NaN
    """
    if all(column.kind in NUMBER_KINDS for column in features):
        return _frame_of_numbers(table, features)

    columns = {}
    for column in features:
        values = TO_NUMPY[column.kind](table[column.name])
        # With its dtype given, pandas does not infer one from what a piece happens to hold.
        columns[column.name] = pd.Series(values, dtype=values.dtype, copy=False)
    return pd.DataFrame(columns)


def _frame_of_numbers(table: pa.Table, features: Sequence[Column]) -> pd.DataFrame:
    # The one block that pandas would gather the columns in, slowly.
    shape = (len(features), len(table))
    block = np.empty(shape)

    for values, column in zip(block, features, strict=True):
        values[:] = _to_floats(table[column.name])

    names = [column.name for column in features]
    return pd.DataFrame(block.T, columns=names, copy=False)


def to_numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    """Return numbers or booleans, shape (n,), with NaN for missing ones.

    They are float32 if the column is that already, else float64.

    >>> to_numbers(pa.chunked_array([pa.array([1, None], pa.int8())]))
    array([ 1., nan])
    """
    if pa.types.is_float32(column.type):
        return np.asarray(column.to_numpy())
    return _to_floats(column)


def _to_floats(column: pa.ChunkedArray) -> NDArray[Any]:
    floats = decoded(column).cast(pa.float64(), safe=False)
    return np.asarray(floats.to_numpy())


def _to_strings(column: pa.ChunkedArray) -> NDArray[Any]:
    # Each distinct string is made a Python object once, not once a row.
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    distinct = encoded.dictionary.to_pylist()

    # NaN is what encoders take as missing; None would be one category more.
    strings = np.array([*distinct, np.nan], dtype=object)
    codes = encoded.indices.fill_null(len(distinct)).to_numpy()
    return np.asarray(strings[codes])


def _to_dates(column: pa.ChunkedArray) -> NDArray[Any]:
    if pa.types.is_null(column.type):  # a column without any value
        column = column.cast(STORED_AS["date"])
    dates = stored(column)
    return np.asarray(dates.to_numpy(), dtype="datetime64[us]")


TO_NUMPY: dict[ColumnKind, Callable[[pa.ChunkedArray], NDArray[Any]]] = {
    "numeric": _to_floats,
    "boolean": _to_floats,
    "categorical": _to_strings,
    "date": _to_dates,
}
