"""The session of a command: its servers, quiet libraries, and progress while work runs."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deployments.cli import lazy
from deployments.cli.console import stderr_console, waiting
from deployments.cli.failures import reason_of_failure
from deployments.cli.logs import escape_logs
from deployments.cli.options import OutputOptions
from tasks.core.errors import AfterfitError

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


@contextmanager
def session(options: OutputOptions, cluster: str | None = None) -> Iterator["Servers"]:
    """Start the servers, keep libraries quiet, and show progress while the body works.

    Whatever the body prints goes to standard error: standard output is for the answer alone.

    The servers' addresses are in the environment before Prefect is imported, which reads them then:
    so the flows can be imported in the body (see `lazy`), and not before.

    Raises:
        AfterfitError: as the body does.
        UnexpectedError: in place of anything else the body raises.
    """
    with waiting("starting the servers"):
        servers = lazy.local.up()
    lazy.local.check_reachable(servers, cluster)
    os.environ.update(lazy.local.environment(servers))
    if not options.verbose:
        os.environ.update(QUIET)

    with _stdout_to_stderr(), lazy.heartbeats.without_heartbeats(), _progress(options):
        if options.verbose:
            escape_logs()
        else:
            _silence_libraries()
        try:
            yield servers
        except AfterfitError:
            raise
        except Exception as error:
            if options.verbose:
                raise
            raise reason_of_failure(error, servers, lazy.local.status()) from error


@contextmanager
def _progress(options: OutputOptions) -> Iterator[None]:
    console = stderr_console()
    is_shown = console.is_terminal and not (options.json or options.verbose)

    with lazy.progress.progress(console, is_shown=is_shown):
        yield


def _silence_libraries() -> None:
    warnings.simplefilter("ignore")
    logging.raiseExceptions = False  # a log that cannot be sent to Prefect
    for name in ("distributed", "mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Send even what C code and child processes print to standard error."""
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)
