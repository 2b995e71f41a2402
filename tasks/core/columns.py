"""Columns: the four kinds a feature can be, and how Arrow columns become what a pipeline takes."""

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from tasks.core.errors import RequestError

Kind = Literal["numeric", "boolean", "categorical", "date"]

IS_KIND: dict[Kind, Callable[[pa.DataType], bool]] = {
    "boolean": pa.types.is_boolean,
    "numeric": lambda type_: pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_),
    "date": lambda type_: pa.types.is_date(type_) or pa.types.is_timestamp(type_),
    "categorical": lambda type_: pa.types.is_string(type_) or pa.types.is_large_string(type_),
}
STORED_AS: dict[Kind, pa.DataType] = {
    "boolean": pa.bool_(),
    "numeric": pa.float64(),
    "date": pa.timestamp("us"),
    "categorical": pa.string(),
}

NUMBER_KINDS = frozenset({"numeric", "boolean"})  # what a pipeline gets as float64
DATE_TYPES = (pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.timestamp("ns"), pa.timestamp("ns", "UTC"))
NOT_GIVEN = pa.csv.ConvertOptions().null_values  # what a missing number may be written as, too
NAMES_SHOWN = 30
INDEX = re.compile(r"__index_level_\d+__")  # what pandas calls an index that has no name


@dataclass(frozen=True)
class Column:
    """A feature: its name and its kind."""

    name: str
    kind: Kind


def kind_of(type_: pa.DataType) -> Kind | None:
    """Tell the kind of an Arrow type, or None where a model can make nothing of it.

    >>> kind_of(pa.int8()), kind_of(pa.dictionary(pa.int32(), pa.string())), kind_of(pa.list_(pa.int8()))
    ('numeric', 'categorical', None)
    """
    if pa.types.is_dictionary(type_):
        return kind_of(type_.value_type)
    return next((kind for kind, fits in IS_KIND.items() if fits(type_)), None)


def feature_columns(schema: pa.Schema, left_out: Iterable[str]) -> tuple[Column, ...]:
    """List the features of a table: every column that is not left out.

    Raises:
        RequestError: a column is of a type no model can use, or no column is left.
    """
    features = []
    for field in schema:
        if field.name in set(left_out) or INDEX.fullmatch(field.name):
            continue
        kind = kind_of(field.type)
        if kind is None:
            raise RequestError(
                f"Column {field.name!r} is of type {field.type}, which no model can use: add it to `data.drop`."
            )
        features.append(Column(field.name, kind))
    if not features:
        raise RequestError("No column is left to learn from: every one is the target, the id, or dropped.")
    return tuple(features)


def check_schema(schema: pa.Schema, features: Sequence[Column], needed: Iterable[str], origin: str) -> None:
    """Refuse a table that lacks a column or holds one of another kind; extra and reordered columns are welcome."""
    names = set(schema.names)
    if len(names) < len(schema.names):
        twice = next(name for name in schema.names if schema.names.count(name) > 1)
        raise RequestError(f"{origin}: column {twice!r} occurs twice.")
    for name in [*(column.name for column in features), *needed]:
        if name not in names:
            raise RequestError(f"{origin}: column {name!r} is missing{nearest_name(name, schema.names)}")
    for column in features:
        found = schema.field(column.name).type
        if kind_of(found) != column.kind and not pa.types.is_null(found):
            raise RequestError(
                f"{origin}: column {column.name!r} is {found}, the model was trained on a {column.kind} one."
            )


def nearest_name(name: str, names: Sequence[str]) -> str:
    """Finish a sentence about a missing name with the nearest one, or with all there are.

    >>> nearest_name("targt", ["id", "target"])
    '; did you mean target?'
    >>> nearest_name("x", ["id", "target"])
    '; it has id, target.'
    """
    same = [other for other in names if other.casefold() == name.casefold()]
    near = same or difflib.get_close_matches(name, names, n=1)
    shown = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
    return f"; did you mean {near[0]}?" if near else f"; it has {shown}."


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
    """Make what a pipeline takes: numbers and booleans as float64 (missing: NaN), texts as objects, dates as datetimes.

    >>> to_frame(pa.table({"a": [1, None], "b": ["x", None]}), [Column("a", "numeric"), Column("b", "categorical")])
         a    b
    0  1.0    x
    1  NaN  NaN
    """
    arrays = ((column.name, TO_NUMPY[column.kind](table[column.name])) for column in features)
    if all(column.kind in NUMBER_KINDS for column in features):
        block = np.empty((len(features), len(table)))  # the one block that pandas would gather the columns in, slowly
        for values, (_, array) in zip(block, arrays, strict=True):
            values[:] = array
        return pd.DataFrame(block.T, columns=[column.name for column in features], copy=False)
    # With its dtype given, pandas does not infer one from what a piece happens to hold.
    return pd.DataFrame({name: pd.Series(array, dtype=array.dtype, copy=False) for name, array in arrays})


def to_numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    """Give numbers or booleans as float32, if they are that already, else as float64; missing ones are NaN.

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


TO_NUMPY: dict[Kind, Callable[[pa.ChunkedArray], NDArray[Any]]] = {
    "numeric": _floats,
    "boolean": _floats,
    "categorical": _texts,
    "date": _dates,
}
