"""Split a table into the rows that train and the rows that judge."""

from pathlib import Path

from prefect.logging import get_run_logger

from tasks.core.spec.spec import Spec
from tasks.core.tables.arrow_files import open_table
from tasks.core.training.table import SplitTable, TableFile, split_rows
from tasks.idempotent import idempotent_task


@idempotent_task(task_run_name="split {table.rows:,} rows")
def split_table(table: TableFile, spec: Spec, folder: str) -> SplitTable:
    """Hold out the newest fifth by time where the spec names one, else a fifth by hash."""
    parts = split_rows(open_table(table.path), spec.data, spec.problem, Path(folder))

    rule = f"by {parts.split.by} {parts.split.cutoff}".rstrip()
    get_run_logger().info(
        "%s rows train, %s judge (%s), %s have no target",
        parts.rows_train,
        parts.rows_held_out,
        rule,
        parts.rows_without_target,
    )
    for note in parts.notes:
        get_run_logger().warning("%s", note)
    return parts
