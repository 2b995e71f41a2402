"""Rejected rows: those that no model needs to see, and the table that is kept of all of them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.core.model.refusals import NO_ID, OTHER_TYPE, Rejection, Rejections
from tasks.core.output.quarantine import DETAIL, REASON, kept_name
from tasks.core.tables.csv_copy import PROBLEM


def rejected_before(table: pa.Table, id_column: str | None) -> Rejections:
    """Find the rows that no model needs to see: those with a value of another type, and those
    without an id.
    """
    found: Rejections = {}
    if PROBLEM in table.column_names:
        problems = table[PROBLEM]
        for row in _rows_where(pc.is_valid(problems)):
            found[row] = Rejection(OTHER_TYPE, problems[row].as_py())
    if id_column:
        missing = pc.is_null(table[id_column], nan_is_null=True)
        found |= {
            row: Rejection(NO_ID, f"column {id_column!r} has no value")
            for row in _rows_where(missing)
        }
    return found


def _rows_where(mask: pa.ChunkedArray) -> list[int]:
    return [int(row) for row in np.flatnonzero(mask.to_numpy())] if pc.any(mask).as_py() else []


def rejected_table(table: pa.Table, rejections: Rejections) -> pa.Table:
    """Give the rejected rows with all that was read of them, their reason code and its detail."""
    rows = sorted(rejections)
    kept = table.take(pa.array(rows, pa.int64()))
    if PROBLEM in kept.column_names:
        kept = kept.drop_columns([PROBLEM])
    kept = kept.rename_columns([kept_name(name) for name in kept.column_names])
    reasons = pa.array([rejections[row].reason for row in rows], pa.string())
    details = pa.array([rejections[row].detail for row in rows], pa.string())
    return kept.append_column(REASON, reasons).append_column(DETAIL, details)
