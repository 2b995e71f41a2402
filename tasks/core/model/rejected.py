"""Rejected rows: those that no model needs to see, and the table that is kept of all of them."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.core.model.refusals import NO_ID, OTHER_TYPE, Rejection, Rejections
from tasks.core.score_columns import DETAIL, REASON, kept_name
from tasks.core.tables.columns import Column
from tasks.core.tables.csv_copy import PROBLEM
from tasks.core.tables.timestamps import beyond_range, describe_date


def rejected_before(
    table: pa.Table, id_column: str | None, features: Sequence[Column] = ()
) -> Rejections:
    """Find the rows that no model needs to see.

    They hold a value of another type, or a date that is farther away than dates reach, or have no
    id.
    """
    found: Rejections = {}

    if PROBLEM in table.column_names:
        problems = table[PROBLEM]
        for row in _rows_where(pc.is_valid(problems)):
            found[row] = Rejection(OTHER_TYPE, problems[row].as_py())

    for column in features:
        found |= _dates_beyond_range(table, column)

    if id_column is not None:
        missing = pc.is_null(table[id_column], nan_is_null=True)
        rejection = Rejection(NO_ID, f"column {id_column!r} has no value")
        found |= dict.fromkeys(_rows_where(missing), rejection)

    return found


def _dates_beyond_range(table: pa.Table, column: Column) -> Rejections:
    dates = table[column.name]
    is_beyond = beyond_range(dates) if column.kind == "date" else None
    if is_beyond is None:
        return {}

    return {
        row: Rejection(OTHER_TYPE, f"column {column.name!r}: {describe_date(dates, row)}")
        for row in _rows_where(is_beyond)
    }


def _rows_where(mask: pa.ChunkedArray) -> list[int]:
    if not pc.any(mask).as_py():
        return []
    return [int(row) for row in np.flatnonzero(mask.to_numpy())]


def rejected_table(table: pa.Table, rejections: Rejections) -> pa.Table:
    """Return the rejected rows with all that was read of them, their reason code and its detail."""
    rows = sorted(rejections)
    kept = table.take(pa.array(rows, pa.int64()))
    if PROBLEM in kept.column_names:
        kept = kept.drop_columns([PROBLEM])
    kept = kept.rename_columns([kept_name(name) for name in kept.column_names])

    reasons = pa.array([rejections[row].reason for row in rows], pa.string())
    details = pa.array([rejections[row].detail for row in rows], pa.string())
    return kept.append_column(REASON, reasons).append_column(DETAIL, details)
