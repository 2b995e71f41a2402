"""Folders below `AFTERFIT_HOME`: fetched models, and scratch space for one process."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

# As `scratch_folder` names what it makes.
SCRATCH = re.compile(r"afterfit-(?P<pid>[0-9]{1,9})-\w+")


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
        prefix=f"afterfit-{os.getpid()}-", dir=root, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def _delete_leftovers(root: Path) -> None:
    """Delete the folders of dead processes; all else is somebody else's."""
    for left in root.iterdir():
        named = SCRATCH.fullmatch(left.name)
        if named and not psutil.pid_exists(int(named["pid"])):
            shutil.rmtree(left, ignore_errors=True)
