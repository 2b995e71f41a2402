"""Columns: the four kinds a feature can be, and which columns of a table are features."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
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
    """A feature: its name and its kind.

    `zoned` says of dates whether they have a time zone, where that is known: the same clock means
    another moment with one.
    """

    name: str
    kind: ColumnKind
    zoned: bool | None = field(default=None, compare=False)


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


def has_zone(type_: pa.DataType) -> bool:
    """Return whether a type is that of times with a zone.

    >>> has_zone(pa.timestamp("us", "UTC")), has_zone(pa.timestamp("us")), has_zone(pa.date32())
    (True, False, False)
    """
    if pa.types.is_dictionary(type_):
        return has_zone(type_.value_type)
    return pa.types.is_timestamp(type_) and type_.tz is not None


def feature_columns(schema: pa.Schema, left_out: Iterable[str]) -> tuple[Column, ...]:
    """List the features of a table: every column that is not left out.

    Raises:
        RequestError: a column is of a type no model can use, or no column is left.
    """
    excluded = set(left_out)
    features = []
    for item in schema:
        if item.name in excluded or INDEX.fullmatch(item.name):
            continue

        kind = kind_of(item.type)
        if kind is None:
            raise RequestError(
                f"Column {item.name!r} is of type {item.type}, which no model can use: "
                "add it to `data.drop`."
            )
        zoned = has_zone(item.type) if kind == "date" else None
        features.append(Column(item.name, kind, zoned))

    if not features:
        raise RequestError(
            "No column is left to learn from: every one is the target, the id, or dropped."
        )
    return tuple(features)
