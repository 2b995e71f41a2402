"""Progress, as the log records of tasks tell it."""

import io
import logging

from rich.console import Console

from deployments.cli.progress import ROWS_LOGGER, TASKS_LOGGER, ProgressHandler, progress


def listens(name):
    """Return whether a logger's records become progress."""
    handlers = logging.getLogger(name).handlers
    return any(isinstance(handler, ProgressHandler) for handler in handlers)


def test_a_terminal_shows_the_task_that_runs_and_the_rows_done():
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=120)
    with progress(console, is_shown=True):
        task = {"task_run_name": "score bundle 3", "send_to_api": False}
        logging.getLogger(TASKS_LOGGER).info("started", extra=task)
        rows = {"rows_done": 2000, "rows_total": 5000}
        logging.getLogger(ROWS_LOGGER).info("rows", extra=rows)
    assert "score bundle 3" in shown.getvalue()
    assert "2,000 of 5,000 rows" in shown.getvalue()


def test_without_a_person_looking_on_nothing_is_shown():
    shown = io.StringIO()
    console = Console(file=shown)
    with progress(console, is_shown=False):
        rows = {"rows_done": 1, "rows_total": 2}
        logging.getLogger(ROWS_LOGGER).info("rows", extra=rows)
    assert shown.getvalue().strip() == ""


def test_nothing_listens_once_the_work_is_done():
    console = Console(file=io.StringIO())
    with progress(console, is_shown=False):
        assert listens(ROWS_LOGGER)
        assert listens(TASKS_LOGGER)
    assert not listens(ROWS_LOGGER)
    assert not listens(TASKS_LOGGER)
