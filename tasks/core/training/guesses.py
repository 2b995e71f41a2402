"""Guesses: what a table's target and other columns seem to be for."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tasks.core.metrics import Problem
from tasks.core.tables.columns import kind_of
from tasks.core.tables.targets import MOST_CLASSES
from tasks.core.tables.written_values import look_at_text
from tasks.core.training.row_counters import is_counter, is_unnamed


@dataclass(frozen=True)
class Roles:
    """What the columns of a table seem to be for.

    `counters` are those of `drop` that count rows.
    """

    id: str | None
    time: str | None
    drop: tuple[str, ...]
    counters: tuple[str, ...] = ()


def guess_problem(target: pa.ChunkedArray) -> Problem:
    """Guess the problem: strings, booleans and few distinct integers are classes.

    Strings that are meant as numbers are not, unless they are few.

    >>> guess_problem(pa.chunked_array([[0, 1, 1, 0]]))
    'classification'
    >>> guess_problem(pa.chunked_array([[0.5, 1.5]]))
    'regression'
    """
    if kind_of(target.type) != "numeric":
        is_amount = look_at_text(target) is not None and len(pc.unique(target)) > MOST_CLASSES
        return "regression" if is_amount else "classification"
    if not pa.types.is_integer(target.type):
        return "regression"
    classes = pc.count_distinct(target).as_py()
    return "classification" if classes <= MOST_CLASSES else "regression"


def guess_roles(table: pa.Table, target: str) -> Roles:
    """Guess the roles of all columns but the target.

    An index without a name is dropped. The id is the first column after it, if its values are
    unique; the time is the first date without a gap; other counters of rows, and what no model can
    use, are dropped.
    """
    all_names = [name for name in table.column_names if name != target]
    counters = [name for name in all_names if is_counter(name, table[name])]
    names = [name for name in all_names if not (is_unnamed(name) and name in counters)]
    ids = [name for name in names[:1] if _could_be_id(table[name])]
    counters = [name for name in counters if name not in ids]
    times = [name for name in names if _could_be_time(table[name])]
    unusable = [name for name in names if kind_of(table[name].type) is None]

    return Roles(
        id=ids[0] if ids else None,
        time=times[0] if times else None,
        drop=(*counters, *unusable),
        counters=tuple(counters),
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
