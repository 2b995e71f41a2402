"""Features: the columns of a table that a model learns from."""

from collections.abc import Sequence

import pyarrow as pa

from tasks.core.spec.sections import Data
from tasks.core.tables.columns import Column, feature_columns
from tasks.core.training.notes import describe_features, describe_left_out
from tasks.core.training.row_counters import is_counter, is_unnamed


def leave_out_index(table: pa.Table, data: Data) -> tuple[pa.Table, tuple[str, ...]]:
    """Return a table without the index that was written with it, and the name of that column.

    It has no name, counts rows, and has no role in the spec. It says nothing of a row, and another
    thing tomorrow, so it must not tell on which side of the split a row is either.
    """
    roles = {data.target, data.id, data.time, data.segment, *data.drop}
    index = tuple(
        name
        for name in table.column_names
        if is_unnamed(name) and name not in roles and is_counter(name, table[name])
    )
    return table.drop_columns(list(index)), index


def choose_features(table: pa.Table, data: Data) -> tuple[Column, ...]:
    """Return the features of a table: every column that is not the target, the id, or dropped.

    Raises:
        RequestError: a column is of a type no model can use, or no column is left.
    """
    left_out = [data.target, *data.drop]
    if data.id is not None:
        left_out.append(data.id)
    return feature_columns(table.schema, left_out)


def describe_columns(
    table: pa.Table, index: Sequence[str], features: Sequence[Column]
) -> tuple[str, ...]:
    """Return notes on the index that was left out, and on features that may be something else."""
    names = [column.name for column in features]
    return (*describe_left_out(index), *describe_features(table, names))
