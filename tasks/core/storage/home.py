"""Folders below `AFTERFIT_HOME`: fetched models, and scratch space that does not outlive its
process.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


def home_folder() -> Path:
    """Give `AFTERFIT_HOME`, by default `.afterfit` in the user's home."""
    return (
        Path(os.environ.get("AFTERFIT_HOME") or Path.home() / ".afterfit").expanduser().absolute()
    )


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder for what travels by reference during one run; what dead processes left behind
    goes first.
    """
    root = home_folder() / "scratch"
    root.mkdir(parents=True, exist_ok=True)
    for left in root.iterdir():
        pid = left.name.partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=f"{os.getpid()}-", dir=root, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)
