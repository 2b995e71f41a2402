"""The process of a command: what it says at its end, and how it leaves."""

import atexit
import os
import sys
import threading
from typing import NoReturn

INTERRUPTED = 130  # the exit status after SIGINT and SIGTERM
_spoken = threading.Event()


def say(sentence: str, exit_status: int) -> int:
    """Write one sentence to standard error, and return the exit status."""
    from deployments.cli.screen import shown  # noqa: PLC0415 - `tasks` is ours by now

    line = shown(f"afterfit: {' '.join(sentence.split())}")
    sys.stderr.write(f"{line}\n")
    _spoken.set()
    return exit_status


def has_spoken() -> bool:
    """Return whether the command has said its sentence."""
    return _spoken.is_set()


def leave(exit_status: int, *, at_once: bool = False) -> NoReturn:
    """Run what is registered for the exit, then end the process without freeing each object.

    Args:
        exit_status: the status to exit with.
        at_once: run nothing more. Prefect would try for minutes to send its last events to a server
            that is gone.
    """
    if not at_once:
        # The interpreter calls these two itself, in this order; by the second, Prefect sends its
        # last logs and events.
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - it has no public name
        atexit._run_exitfuncs()  # noqa: SLF001 - it has no public name

    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_status)
