"""Exchange: how one folder takes the place of another."""

import ctypes
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

EXCHANGE = 2  # RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS have the same value
FROM_HERE = -100  # AT_FDCWD of Linux

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


def swap(staging: Path, output: Path, exchange: Exchange = exchange) -> None:
    """Exchange two folders where the system can, else move the old one away first."""
    if exchange(staging, output):
        return

    old = beside(output, "old")
    output.rename(old)
    staging.rename(output)
    shutil.rmtree(old, ignore_errors=True)


def recover(output: Path) -> None:
    """Finish a swap that a dead process left between its two renames: the old output comes back."""
    old = beside(output, "old")
    if old.exists() and not output.exists():
        old.rename(output)
    shutil.rmtree(old, ignore_errors=True)


def beside(output: Path, kind: str) -> Path:
    """Name what lies beside an output while a run is at work.

    >>> beside(Path("/data/scores"), "lock").name
    '.scores.lock'
    """
    return output.parent / f".{output.name}.{kind}"


def sync(path: Path) -> None:
    """Write a file or a folder through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
