"""Progress: the task that runs, and a bar of rows once rows are scored."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.logging.configuration import setup_logging
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from deployments.cli.screen import shown

ROWS_LOGGER = "afterfit.progress"
TASKS_LOGGER = "prefect.task_runs"


@contextmanager
def progress(console: Console, is_shown: bool) -> Iterator[None]:
    """Show the task that runs, and a bar of rows once rows are scored."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[rows]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )

    bar = Progress(*columns, console=console, transient=True, disable=not is_shown)
    with bar, _listening(ProgressHandler(bar)):
        yield


@contextmanager
def _listening(handler: logging.Handler) -> Iterator[None]:
    """Pass the log records about rows and tasks to a handler."""
    setup_logging()
    loggers = [logging.getLogger(ROWS_LOGGER), logging.getLogger(TASKS_LOGGER)]
    logging.getLogger(ROWS_LOGGER).setLevel(logging.INFO)

    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


class ProgressHandler(logging.Handler):
    """Turns log records into progress: rows done, and the task that logged last."""

    def __init__(self, bar: Progress) -> None:
        super().__init__(logging.INFO)
        self.bar = bar
        self.task = bar.add_task("starting", total=None, rows="")

    def emit(self, record: logging.LogRecord) -> None:
        """Show what a record says about rows, or which task it comes from."""
        total = getattr(record, "rows_total", None)
        done = getattr(record, "rows_done", None)
        name = getattr(record, "task_run_name", None)

        if total is not None and done is not None:
            self._show_rows(total, done)
        elif name:
            self.bar.update(self.task, description=shown(str(name)))

    def _show_rows(self, total: int, done: int) -> None:
        rows = f"{done:,} of {total:,} rows"
        speed = self.bar.tasks[self.task].speed
        if speed:
            rows += f", {speed:,.0f} rows/s"

        self.bar.update(self.task, total=total, completed=done, rows=rows)
