"""Progress: the task that runs, and a bar of rows once rows are scored."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def progress(console: Console, shown: bool) -> Iterator[None]:
    """Show the task that runs, and a bar of rows once rows are scored."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        handler = _Teller(bar)
        listened = [logging.getLogger("afterfit.progress"), logging.getLogger("prefect.task_runs")]
        _listen(handler, listened)
        try:
            yield
        finally:
            for logger in listened:
                logger.removeHandler(handler)


def _listen(handler: logging.Handler, loggers: list[logging.Logger]) -> None:
    from prefect.logging.configuration import setup_logging

    setup_logging()
    loggers[0].setLevel(logging.INFO)
    for logger in loggers:
        logger.addHandler(handler)


class _Teller(logging.Handler):
    """Turns log records into progress: rows done, and the name of the task that spoke last."""

    def __init__(self, bar: Progress) -> None:
        super().__init__(logging.INFO)
        self.bar = bar
        self.task = bar.add_task("starting", total=None, rows="")

    def emit(self, record: logging.LogRecord) -> None:
        total, done = getattr(record, "rows_total", None), getattr(record, "rows_done", None)
        if total is not None and done is not None:
            speed = self.bar.tasks[self.task].speed
            rate = f", {speed:,.0f} rows/s" if speed else ""
            self.bar.update(
                self.task, total=total, completed=done, rows=f"{done:,} of {total:,} rows{rate}"
            )
        elif name := getattr(record, "task_run_name", None):
            self.bar.update(self.task, description=str(name))
