"""Locks: one process at a time, by a file whose lock the system frees when its holder dies."""

import fcntl
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tasks.core.errors import RequestError

PAUSE_SECONDS = 0.1


def wait_for_lock(
    path: Path, seconds: float, while_waiting: Callable[[], None] = lambda: None
) -> int | None:
    """Lock the file at a path and return its descriptor, or None if others hold it for so long.

    Raises:
        RequestError: the folder of the file cannot be written to, or the file is no lock.
    """
    deadline = time.monotonic() + seconds

    while (descriptor := _try_lock(path)) is None:
        while_waiting()
        if time.monotonic() > deadline:
            return None
        time.sleep(PAUSE_SECONDS)

    return descriptor


def release_lock(path: Path, descriptor: int) -> None:
    """Remove the file of a lock, then free the lock."""
    with suppress(OSError):  # whoever put something else in its place may keep that
        if os.path.samestat(os.fstat(descriptor), path.lstat()):
            path.unlink()
    os.close(descriptor)


def check_lock(path: Path) -> None:
    """Refuse a path at which there is anything but a lock, which is an empty file.

    Raises:
        RequestError: with the path, and what to do.
    """
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise _refusal(path, error) from error

    if not stat.S_ISREG(found.st_mode) or found.st_size:
        raise RequestError(
            f"{str(path)!r} was not made by afterfit, and a run would lock it: "
            "move it away, or name another output."
        )


def _try_lock(path: Path) -> int | None:
    """Lock the file at a path; None if another process holds it, or has just removed it."""
    check_lock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not path.parent.exists():
            return None  # a run that had made the folder has just removed it
        raise _refusal(path, error) from error

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.lstat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass

    os.close(descriptor)
    return None


def _refusal(path: Path, error: OSError) -> RequestError:
    if os.path.lexists(path):
        return RequestError(
            f"{str(path)!r}, the lock of another user's run, cannot be opened: {error.strerror}. "
            "Wait for that run, or delete the file if there is none."
        )
    return RequestError(f"{path.parent} cannot be written to: {error.strerror}.")
