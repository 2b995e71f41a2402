"""The process of a command: what it says at its end, and how it leaves."""

import atexit
import os
import sys
import threading
from typing import NoReturn


def say(sentence: str, exit_status: int) -> int:
    """Say one sentence on standard error, and give the exit status."""
    sys.stderr.write(f"afterfit: {' '.join(sentence.split())}\n")
    return exit_status


def leave(exit_status: int, *, at_once: bool = False) -> NoReturn:
    """End the process after everything that wants to run at the exit, without freeing every object
    one by one.

    Args:
        exit_status: the status to exit with.
        at_once: run nothing more. Prefect would try for minutes to send its last events to a server
            that is gone.
    """
    if not at_once:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - what the interpreter itself calls first
        atexit._run_exitfuncs()  # noqa: SLF001 - and this second: Prefect sends its last logs and events here
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_status)
