"""Frames: how Arrow columns become what a pipeline takes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from tasks.core.tables.columns import NUMBER_KINDS, Column, ColumnKind, kind_of

STORED_AS: dict[ColumnKind, pa.DataType] = {
    "boolean": pa.bool_(),
    "numeric": pa.float64(),
    "date": pa.timestamp("us"),
    "categorical": pa.string(),
}
DATE_TYPES = (
    pa.timestamp("us"),
    pa.timestamp("us", "UTC"),
    pa.timestamp("ns"),
    pa.timestamp("ns", "UTC"),
)
NOT_GIVEN = pa.csv.ConvertOptions().null_values  # what a missing number may be written as, too


def stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cast a column to the one type its kind is stored as; other kinds stay as they are.

    >>> stored(pa.chunked_array([[1, None]])).to_pylist()
    [1.0, None]
    """
    kind = kind_of(column.type)
    if kind == "date" and getattr(column.type, "tz", None):
        column = pc.local_timestamp(column.cast(pa.timestamp("us", "UTC"), safe=False))
    # An integer beyond 2**53 is rounded to the nearest float64, as scikit-learn itself would.
    return column.cast(STORED_AS[kind], safe=False) if kind else column


def parse_dates(texts: pa.Array) -> pa.Array:
    """Parse dates and times as ISO 8601 writes them, those with a zone as UTC.

    >>> parse_dates(pa.array(["2024-01-31", None, "2024-01-31T12:30:00.5"])).to_pylist()[2]
    datetime.datetime(2024, 1, 31, 12, 30, 0, 500000)

    Raises:
        ValueError: some text is not a date.
    """
    given = pc.if_else(pc.is_in(texts, pa.array(NOT_GIVEN)), pa.scalar(None, pa.string()), texts)
    problem = ""
    for type_ in DATE_TYPES:
        try:
            return stored(pa.chunked_array([given.cast(type_)])).combine_chunks()
        except pa.ArrowInvalid as error:
            problem = problem or str(error).partition(" as a scalar")[0]
    raise ValueError(problem)


def to_frame(table: pa.Table, features: Sequence[Column]) -> pd.DataFrame:
    """Make what a pipeline takes: numbers and booleans as float64 (missing: NaN), texts as objects,
    dates as datetimes.

    >>> to_frame(pa.table({"a": [1, None], "b": ["x", None]}), [Column("a", "numeric"), Column("b", "categorical")])
         a    b
    0  1.0    x
    1  NaN  NaN
    """
    arrays = ((column.name, TO_NUMPY[column.kind](table[column.name])) for column in features)
    if all(column.kind in NUMBER_KINDS for column in features):
        block = np.empty(
            (len(features), len(table))
        )  # the one block that pandas would gather the columns in, slowly
        for values, (_, array) in zip(block, arrays, strict=True):
            values[:] = array
        return pd.DataFrame(block.T, columns=[column.name for column in features], copy=False)
    # With its dtype given, pandas does not infer one from what a piece happens to hold.
    return pd.DataFrame(
        {name: pd.Series(array, dtype=array.dtype, copy=False) for name, array in arrays}
    )


def to_numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    """Give numbers or booleans as float32, if they are that already, else as float64; missing ones
    are NaN.

    >>> to_numbers(pa.chunked_array([pa.array([1, None], pa.int8())]))
    array([ 1., nan])
    """
    return np.asarray(column.to_numpy()) if pa.types.is_float32(column.type) else _floats(column)


def _floats(column: pa.ChunkedArray) -> NDArray[Any]:
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())


def _texts(column: pa.ChunkedArray) -> NDArray[Any]:
    # Each distinct text is made a Python object once, not once a row.
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    known = encoded.dictionary.to_pylist()
    # NaN is what encoders take as missing; None would be one category more.
    texts = np.array([*known, np.nan], dtype=object)
    return np.asarray(texts[encoded.indices.fill_null(len(known)).to_numpy()])


def _dates(column: pa.ChunkedArray) -> NDArray[Any]:
    typed = column.cast(pa.timestamp("us")) if pa.types.is_null(column.type) else stored(column)
    return np.asarray(typed.to_numpy(), dtype="datetime64[us]")


TO_NUMPY: dict[ColumnKind, Callable[[pa.ChunkedArray], NDArray[Any]]] = {
    "numeric": _floats,
    "boolean": _floats,
    "categorical": _texts,
    "date": _dates,
}
