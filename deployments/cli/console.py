"""The console: progress while work runs, quiet libraries, one sentence for a mistake."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from deployments.servers.local import Servers

# Each process that a command starts takes these over, so workers are as quiet as the command.
QUIET = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",  # a websocket that had to be opened anew, say
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "DASK_LOGGING__DISTRIBUTED": "critical",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "PYTHONWARNINGS": "ignore",
}
errors = Console(stderr=True, soft_wrap=True, highlight=False)


class UnexpectedError(Exception):
    """A failure that is not the user's, put into one sentence."""


class PrefectGoneError(UnexpectedError):
    """The Prefect server went away: what it has not been told yet, nobody can tell it."""


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show that something takes a while, where a person looks on."""
    with errors.status(what) if errors.is_terminal else _nothing():
        yield


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def session(json: bool, verbose: bool, cluster: str | None = None) -> Iterator["Servers"]:
    """Make the servers ready, keep libraries quiet, and show progress while the body works.

    Whatever the body prints goes to standard error: standard output is for the answer alone.

    Raises:
        AfterfitError: as the body does.
        UnexpectedError: in place of anything else the body raises.
    """
    from deployments.cli.progress import progress
    from deployments.servers.local import check_reachable, environment, up
    from tasks.core.errors import AfterfitError

    with waiting("starting the servers"):
        servers = up()
    check_reachable(servers, cluster)
    os.environ.update(environment(servers) | ({} if verbose else QUIET))
    shown = errors.is_terminal and not (json or verbose)
    with _stdout_is_stderr(), without_heartbeats(), progress(errors, shown=shown):
        if not verbose:
            _hush()
        try:
            yield servers
        except AfterfitError:
            raise
        except Exception as error:
            if verbose:
                raise
            raise _explained(error, servers) from error


def _explained(error: Exception, servers: "Servers") -> UnexpectedError:
    """Say what happened; a server that has gone is named, for then nothing else matters."""
    from deployments.servers.local import status

    first = next(iter(str(error).strip().splitlines()), "")[:300]
    running = status()
    for name, kind, server in (
        ("Prefect", PrefectGoneError, running["prefect"]),
        ("MLflow", UnexpectedError, running["mlflow"]),
    ):
        if not server["running"]:
            return kind(
                f"The {name} server at {server['url']} does not answer any more: run the command again."
            )
    where = f"The run's page has the details: {servers.prefect_ui_url}/runs"
    return UnexpectedError(
        f"{type(error).__name__}: {first.rstrip('.')}. {where} (or use --verbose)."
    )


@contextmanager
def without_heartbeats() -> Iterator[None]:
    """Spare a flow the heartbeats by which Prefect tells one that has died, unless the user has set
    how often.

    At its end a flow waits up to a second for the thread that sends them, one in three minutes. The
    runs of deployments do not come by here, and keep theirs.
    """
    from prefect.settings import (
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        get_current_settings,
        temporary_settings,
    )

    chosen = "heartbeat_frequency" in get_current_settings().flows.model_fields_set
    with _nothing() if chosen else temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def _hush() -> None:
    warnings.simplefilter("ignore")
    logging.raiseExceptions = False  # a log that cannot be sent to Prefect
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
