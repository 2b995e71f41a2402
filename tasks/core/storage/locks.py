"""Locks: one process at a time, by a file whose lock the system frees when its holder dies."""

import fcntl
import os
import time
from pathlib import Path

from tasks.core.errors import RequestError

PAUSE_SECONDS = 0.1


def wait_for_lock(path: Path, seconds: float) -> int | None:
    """Lock the file at a path and return its descriptor, or None if others hold it for so long.

    Raises:
        RequestError: the folder of the file cannot be written to.
    """
    deadline = time.monotonic() + seconds

    while (descriptor := _try_lock(path)) is None:
        if time.monotonic() > deadline:
            return None
        time.sleep(PAUSE_SECONDS)

    return descriptor


def release_lock(path: Path, descriptor: int) -> None:
    """Remove the file of a lock, then free the lock."""
    path.unlink(missing_ok=True)
    os.close(descriptor)


def _try_lock(path: Path) -> int | None:
    """Lock the file at a path; None if another process holds it, or has just removed it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
    except OSError as error:
        raise RequestError(f"{path.parent} cannot be written to: {error.strerror}.") from error

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass

    os.close(descriptor)
    return None
