"""Folders below `AFTERFIT_HOME`: fetched models, and scratch space for one process."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


def home_folder() -> Path:
    """Return `AFTERFIT_HOME`, by default `.afterfit` in the user's home."""
    named = os.environ.get("AFTERFIT_HOME")
    folder = Path(named) if named else Path.home() / ".afterfit"
    return folder.expanduser().absolute()


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder for what travels by reference during one run, and delete it afterwards.

    What dead processes left behind is deleted first.
    """
    root = home_folder() / "scratch"
    root.mkdir(parents=True, exist_ok=True)
    _delete_leftovers(root)

    with tempfile.TemporaryDirectory(
        prefix=f"{os.getpid()}-", dir=root, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def _delete_leftovers(root: Path) -> None:
    """Delete the folders of dead processes; a name begins with the id of its process."""
    for left in root.iterdir():
        pid = left.name.partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
