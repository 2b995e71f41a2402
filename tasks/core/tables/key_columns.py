"""Key columns: the keys of a file's folders as columns that hold one value in every row."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from tasks.core.errors import RequestError
from tasks.core.tables.columns import Column, kind_of
from tasks.core.tables.csv_copy import NAMES, PARSERS
from tasks.core.tables.frames import STORED_AS
from tasks.core.tables.partitions import keys_of

KeyValues = tuple[tuple[str, pa.Scalar], ...]  # of one file, by the name of the column
KeyTypes = Mapping[str, pa.DataType]


def model_types(types: KeyTypes, features: Sequence[Column]) -> KeyTypes:
    """Return the types of keys as a model takes them: what it knows as text stays as written.

    >>> model_types({"month": pa.int64(), "day": pa.int64()}, [Column("month", "categorical")])
    {'month': DataType(string), 'day': DataType(int64)}
    """
    kinds = {column.name: column.kind for column in features}
    known = dict(types)
    for name, type_ in types.items():
        kind = kinds.get(name)
        if kind and kind != kind_of(type_):
            known[name] = STORED_AS[kind]
    return known


def key_values(path: str, types: KeyTypes) -> KeyValues:
    """Return the values of a file's keys, each of the given type.

    >>> key_values("/in/month=01/a.csv", {"month": pa.int64()})
    (('month', <pyarrow.Int64Scalar: 1>),)

    Raises:
        RequestError: a value is not of its type.
    """
    written = keys_of(path)
    return tuple((name, _parse(name, written[name], types[name], path)) for name in types)


def _parse(name: str, text: str | None, type_: pa.DataType, path: str) -> pa.Scalar:
    kind = kind_of(type_)
    if text is None or kind is None or kind == "categorical":
        return pa.scalar(text, type_)
    if pa.types.is_integer(type_):
        return pa.scalar(int(text), type_)

    try:
        (value,) = PARSERS[kind](pa.array([text]))
    except ValueError:
        value = pa.scalar(None, type_)
    if not value.is_valid:
        raise RequestError(
            f"{path}: the folder says that {name!r} is {text!r}, which is no {NAMES[kind]}; the "
            f"model was trained on a {kind} column."
        )
    return value


def add_keys(table: pa.Table, keys: KeyValues) -> pa.Table:
    """Return a table with a column for each key, after its own.

    >>> add_keys(pa.table({"a": [1, 2]}), (("month", pa.scalar(3)),)).to_pydict()
    {'a': [1, 2], 'month': [3, 3]}
    """
    for name, value in keys:
        table = table.append_column(name, pa.repeat(value, len(table)))
    return table


def extend_schema(schema: pa.Schema, types: KeyTypes) -> pa.Schema:
    """Return the columns of a file with those of its folders' keys, after its own."""
    for name, type_ in types.items():
        schema = schema.append(pa.field(name, type_))
    return schema
