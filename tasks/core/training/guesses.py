"""Guesses: what a table's target and other columns seem to be for."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tasks.core.metrics import Problem
from tasks.core.tables.columns import kind_of

MOST_CLASSES = 20


@dataclass(frozen=True)
class Roles:
    """What the columns of a table seem to be for."""

    id: str | None
    time: str | None
    drop: tuple[str, ...]


def guess_problem(target: pa.ChunkedArray) -> Problem:
    """Guess the problem: strings, booleans and few distinct integers are classes.

    >>> guess_problem(pa.chunked_array([[0, 1, 1, 0]]))
    'classification'
    >>> guess_problem(pa.chunked_array([[0.5, 1.5]]))
    'regression'
    """
    if kind_of(target.type) != "numeric":
        return "classification"
    if not pa.types.is_integer(target.type):
        return "regression"
    classes = pc.count_distinct(target).as_py()
    return "classification" if classes <= MOST_CLASSES else "regression"


def guess_roles(table: pa.Table, target: str) -> Roles:
    """Guess the roles of all columns but the target.

    The id is the first column, if its values are unique; the time is the first date without a gap;
    what no model can use is dropped.
    """
    names = [name for name in table.column_names if name != target]
    ids = [name for name in names[:1] if _could_be_id(table[name])]
    times = [name for name in names if _could_be_time(table[name])]
    unusable = [name for name in names if kind_of(table[name].type) is None]

    return Roles(
        id=ids[0] if ids else None,
        time=times[0] if times else None,
        drop=tuple(unusable),
    )


def _could_be_id(column: pa.ChunkedArray) -> bool:
    """Return whether the values of a column are unique, and of a type that names rows."""
    if kind_of(column.type) in {"date", None}:
        return False
    if pa.types.is_floating(column.type):
        return False
    if pa.types.is_dictionary(column.type):  # Arrow has no kernel that counts its distinct values
        return False

    distinct = pc.count_distinct(column).as_py()
    return len(column) > 1 and bool(distinct == len(column))


def _could_be_time(column: pa.ChunkedArray) -> bool:
    return kind_of(column.type) == "date" and not column.null_count
