"""Schemas: what the columns of a table must be for a model."""

from collections.abc import Iterable, Sequence

import pyarrow as pa

from tasks.core.errors import RequestError
from tasks.core.tables.columns import Column, ColumnKind, has_zone, kind_of
from tasks.core.wording import nearest_name

# What a column of another kind has to be made.
PLURALS: dict[ColumnKind, str] = {
    "numeric": "numbers",
    "boolean": "true and false",
    "categorical": "text",
    "date": "dates",
}


def check_schema(
    schema: pa.Schema, features: Sequence[Column], needed: Iterable[str], origin: str
) -> None:
    """Refuse a table that lacks a column, or holds a feature of another kind.

    Other columns and another order are welcome.

    Args:
        schema: the columns of the table.
        features: the columns that a model takes, with their kinds.
        needed: further columns that must be there.
        origin: what the table is called in a message.

    Raises:
        RequestError: with the column.
    """
    names = set(schema.names)
    if len(names) < len(schema.names):
        twice = next(name for name in schema.names if schema.names.count(name) > 1)
        raise RequestError(f"{origin}: column {twice!r} occurs twice.")

    for name in [*(column.name for column in features), *needed]:
        if name not in names:
            advice = nearest_name(name, schema.names)
            raise RequestError(f"{origin}: column {name!r} is missing{advice}")

    for column in features:
        found = schema.field(column.name).type
        if kind_of(found) != column.kind and not pa.types.is_null(found):
            raise RequestError(
                f"{origin}: column {column.name!r} is {found}, the model was trained on a "
                f"{column.kind} one: {_way_out(found, column.kind)}."
            )


def _way_out(found: pa.DataType, wanted: ColumnKind) -> str:
    """Return what to make of a column of another kind."""
    way_out = f"make it {PLURALS[wanted]}"
    if wanted == "date" and kind_of(found) == "categorical":
        return f"{way_out}, as `pandas.to_datetime` does"
    return way_out


def check_zones(schema: pa.Schema, features: Sequence[Column], origin: str) -> None:
    """Refuse dates with a time zone where a model knows those without one, and the other way.

    Raises:
        RequestError: with the column.
    """
    for column in features:
        found = schema.field(column.name).type
        if column.zoned is None or pa.types.is_null(found) or has_zone(found) == column.zoned:
            continue

        known = "with" if column.zoned else "without"
        raise RequestError(
            f"{origin}: column {column.name!r} is {found}, the model was trained on dates {known} "
            "a time zone: which moments are meant would be a guess; write them as they were in "
            "training."
        )
