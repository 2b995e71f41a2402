"""The console: progress while work runs, quiet libraries, one sentence for a mistake."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from deployments.local import Servers, environment, status, up
from tasks.core.errors import AfterfitError

# Each process that a command starts takes these over, so workers are as quiet as the command.
QUIET = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "DASK_LOGGING__DISTRIBUTED": "critical",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "PYTHONWARNINGS": "ignore",
}
errors = Console(stderr=True, soft_wrap=True, highlight=False)


class UnexpectedError(Exception):
    """A failure that is not the user's, put into one sentence."""


def say(sentence: str, exit_status: int) -> int:
    """Say one sentence on standard error, and give the exit status."""
    sys.stderr.write(f"afterfit: {' '.join(sentence.split())}\n")
    return exit_status


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show that something takes a while, where a person looks on."""
    with errors.status(what) if errors.is_terminal else _nothing():
        yield


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def watched(json: bool, verbose: bool) -> Iterator[Servers]:
    """Make the servers ready, keep libraries quiet, and show progress while the body works.

    Whatever the body prints goes to standard error: standard output is for the answer alone.

    Raises:
        AfterfitError: as the body does.
        UnexpectedError: in place of anything else the body raises.
    """
    with waiting("starting the servers"):
        servers = up()
    os.environ.update(environment(servers) | ({} if verbose else QUIET))
    with _stdout_is_stderr(), _progress(shown=errors.is_terminal and not (json or verbose)):
        if not verbose:
            _hush()
        try:
            yield servers
        except AfterfitError:
            raise
        except Exception as error:
            if verbose:
                raise
            raise UnexpectedError(_explained(error, servers)) from error


def _explained(error: Exception, servers: Servers) -> str:
    """Say what happened; a server that has gone is named, for then nothing else matters."""
    first = next(iter(str(error).strip().splitlines()), "")[:300]
    running = status()
    for name, server in {"Prefect": running["prefect"], "MLflow": running["mlflow"]}.items():
        if not server["running"]:
            return f"The {name} server at {server['url']} does not answer any more: run the command again."
    where = f"The run's page has the details: {servers.prefect_ui_url}/runs"
    return f"{type(error).__name__}: {first.rstrip('.')}. {where} (or use --verbose)."


def _hush() -> None:
    warnings.simplefilter("ignore")
    for name in ("distributed", "mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def _stdout_is_stderr() -> Iterator[None]:
    """Let even what C code and child processes print end up on standard error."""
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)


class _Rows(TextColumn):
    """Rows done, of how many, and how fast."""

    def __init__(self) -> None:
        super().__init__("{task.fields[rows]}")


@contextmanager
def _progress(shown: bool) -> Iterator[None]:
    """Show the task that runs, and a bar of rows once rows are scored."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        _Rows(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not shown) as progress:
        handler = _Teller(progress)
        listened = [logging.getLogger("afterfit.progress"), logging.getLogger("prefect.task_runs")]
        _listen(handler, listened)
        try:
            yield
        finally:
            for logger in listened:
                logger.removeHandler(handler)


def _listen(handler: logging.Handler, loggers: list[logging.Logger]) -> None:
    from prefect.logging.configuration import setup_logging  # noqa: PLC0415 - it would take handlers away later

    setup_logging()
    loggers[0].setLevel(logging.INFO)
    for logger in loggers:
        logger.addHandler(handler)


class _Teller(logging.Handler):
    """Turns log records into progress: rows done, and the name of the task that spoke last."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.INFO)
        self.progress = progress
        self.task = progress.add_task("starting", total=None, rows="")

    def emit(self, record: logging.LogRecord) -> None:
        total, done = getattr(record, "rows_total", None), getattr(record, "rows_done", None)
        if total is not None and done is not None:
            speed = self.progress.tasks[self.task].speed
            rate = f", {speed:,.0f} rows/s" if speed else ""
            self.progress.update(self.task, total=total, completed=done, rows=f"{done:,} of {total:,} rows{rate}")
        elif name := getattr(record, "task_run_name", None):
            self.progress.update(self.task, description=str(name))
