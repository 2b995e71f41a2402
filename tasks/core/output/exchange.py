"""Exchange: how one folder takes the place of another, and what a dead process left of it."""

import ctypes
import errno
import os
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.output.manifest import MANIFEST_NAME
from tasks.core.output.strangers import delete_scores, find_strangers
from tasks.core.storage.files import is_vacant

EXCHANGE = 2  # RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS have the same value
FROM_HERE = -100  # AT_FDCWD of Linux
OLD = "old"  # in the staging: an output that was replaced, until it is deleted
JOURNAL = "swap.txt"  # in the staging: which parts are about to replace the output by two renames

Exchange = Callable[[Path, Path], bool]


def exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step, and return whether the system did."""
    libc = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(one), os.fsencode(other)
    calls: dict[str, Callable[[], int]] = {
        "linux": lambda: libc.renameat2(FROM_HERE, first, FROM_HERE, second, EXCHANGE),
        "darwin": lambda: libc.renamex_np(first, second, EXCHANGE),
    }
    try:
        return calls[sys.platform]() == 0
    except (KeyError, AttributeError):
        return False


def check_swappable(output: Path, attempt: Path) -> None:
    """Refuse an output that cannot be moved: a mount point, or a folder of a lower file system.

    Args:
        output: the output, which may not exist yet.
        attempt: a folder in its staging, with something in it.

    Raises:
        RequestError: with the reason that the system gives.
    """
    if not output.exists():
        return

    # A rename never replaces a folder that holds something: this one fails, and changes nothing.
    # What it fails with tells whether another one would succeed.
    movable = {errno.ENOTEMPTY, errno.EEXIST}
    if is_vacant(output):
        movable.add(errno.EXDEV)  # it is replaced, not moved
    try:
        output.rename(attempt)
    except OSError as error:
        if error.errno in movable:
            return
        raise RequestError(
            f"{str(output)!r} cannot be swapped in one step ({error.strerror}): "
            "name a folder that does not exist yet."
        ) from error
    attempt.rename(output)
    raise RequestError(f"{str(output)!r} lies on a file system that loses folders: name another.")


def swap(parts: Path, output: Path, staging: Path, exchange: Exchange = exchange) -> None:
    """Exchange two folders where the system can, else move the old one away first.

    Either way the old one is then in the staging. A second rename that fails undoes the first.

    Raises:
        OSError: the output cannot be swapped; it is what it was.
    """
    old = staging / OLD
    if exchange(parts, output):
        parts.rename(old)
        return

    journal = staging / JOURNAL
    journal.write_text(str(parts.relative_to(staging)), encoding="utf-8")
    sync(journal)
    sync(staging)

    try:
        output.rename(old)
        parts.rename(output)
    except BaseException:
        if old.exists() and not output.exists():
            old.rename(output)
        journal.unlink()
        raise
    journal.unlink()


def recover(output: Path, staging: Path) -> tuple[str, ...]:
    """Finish a swap that a dead process left half done, and return what is to be told of it.

    Between the two renames there is no output: then the old one comes back. Whoever deletes the
    output after the second one has deleted it.
    """
    notes: tuple[str, ...] = ()
    if is_half_done(staging) and is_vacant(output):
        (staging / OLD).rename(output)
        notes = (f"the scores in {output} are back: a run died while it replaced them",)

    (staging / JOURNAL).unlink(missing_ok=True)
    return notes or delete_old(output, staging)


def is_half_done(staging: Path) -> bool:
    """Return whether a swap was ended between its two renames."""
    try:
        named = (staging / JOURNAL).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False

    parts = staging / named
    return (staging / OLD).is_dir() and (parts / MANIFEST_NAME).exists()


def delete_old(output: Path, staging: Path) -> tuple[str, ...]:
    """Delete the output that was replaced; return what is to be told of it.

    If somebody has put files into it meanwhile, it is kept beside the output.
    """
    old = staging / OLD
    if not find_strangers(old):
        delete_scores(old)

    strangers = find_strangers(old)
    if not strangers:
        return ()
    kept = output.with_name(f"{output.name}.kept-{uuid.uuid4().hex[:8]}")
    old.rename(kept)
    return (f"{strangers[0]!r} was in {output} as it was replaced: it is kept in {kept}",)


def sync(path: Path) -> None:
    """Write a file or a folder through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
