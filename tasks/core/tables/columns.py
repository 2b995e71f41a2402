"""Columns: the four kinds a feature can be, and which columns of a table are features."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from tasks.core.errors import RequestError

ColumnKind = Literal["numeric", "boolean", "categorical", "date"]
IS_KIND: dict[ColumnKind, Callable[[pa.DataType], bool]] = {
    "boolean": pa.types.is_boolean,
    "numeric": lambda type_: (
        pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
    ),
    "date": lambda type_: pa.types.is_date(type_) or pa.types.is_timestamp(type_),
    "categorical": lambda type_: pa.types.is_string(type_) or pa.types.is_large_string(type_),
}
NUMBER_KINDS = frozenset({"numeric", "boolean"})  # what a pipeline gets as float64
NULL_STRING = pa.scalar(None, pa.string())
INDEX = re.compile(r"__index_level_\d+__")  # what pandas calls an index that has no name


@dataclass(frozen=True)
class Column:
    """A feature: its name and its kind."""

    name: str
    kind: ColumnKind


def kind_of(type_: pa.DataType) -> ColumnKind | None:
    """Return the kind of an Arrow type, or None where no model can use it.

    >>> kind_of(pa.int8()), kind_of(pa.dictionary(pa.int32(), pa.string()))
    ('numeric', 'categorical')
    >>> kind_of(pa.list_(pa.int8())) is None
    True
    """
    if pa.types.is_dictionary(type_):
        return kind_of(type_.value_type)

    for kind, is_kind in IS_KIND.items():
        if is_kind(type_):
            return kind
    return None


def feature_columns(schema: pa.Schema, left_out: Iterable[str]) -> tuple[Column, ...]:
    """List the features of a table: every column that is not left out.

    Raises:
        RequestError: a column is of a type no model can use, or no column is left.
    """
    excluded = set(left_out)
    features = []
    for field in schema:
        if field.name in excluded or INDEX.fullmatch(field.name):
            continue

        kind = kind_of(field.type)
        if kind is None:
            raise RequestError(
                f"Column {field.name!r} is of type {field.type}, which no model can use: "
                "add it to `data.drop`."
            )
        features.append(Column(field.name, kind))

    if not features:
        raise RequestError(
            "No column is left to learn from: every one is the target, the id, or dropped."
        )
    return tuple(features)
