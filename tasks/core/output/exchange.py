"""Exchange: how one folder takes the place of another."""

import ctypes
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

EXCHANGE = 2  # RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS have the same value
FROM_HERE = -100  # AT_FDCWD of Linux


def swap(staging: Path, output: Path) -> None:
    """Exchange two folders where the system can, else move the old one away first."""
    if not exchange(staging, output):
        old = output.parent / f".{output.name}.old"
        output.rename(old)
        staging.rename(output)
        shutil.rmtree(old, ignore_errors=True)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; tell whether the system did."""
    libc = ctypes.CDLL(None, use_errno=True)
    calls: dict[str, Callable[[], int]] = {
        "linux": lambda: libc.renameat2(
            FROM_HERE, os.fsencode(one), FROM_HERE, os.fsencode(other), EXCHANGE
        ),
        "darwin": lambda: libc.renamex_np(os.fsencode(one), os.fsencode(other), EXCHANGE),
    }
    try:
        return calls[sys.platform]() == 0
    except (KeyError, AttributeError):
        return False


def sync(path: Path) -> None:
    """Write a file or a folder through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
