"""`AFTERFIT_HOME`, which its owner alone can open, and scratch space in it for one process."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tasks.core.errors import RequestError

# As `scratch_folder` names what it makes.
SCRATCH = re.compile(r"afterfit-(?P<pid>[0-9]{1,9})-\w+")
FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# What a home holds: a folder with other things in it may have been opened to others on purpose.
FOLDERS = {"demo", "locks", "logs", "mlflow", "models", "prefect", "scratch", "servers"}


def home_folder() -> Path:
    """Return `AFTERFIT_HOME`, by default `.afterfit` in the user's home."""
    named = os.environ.get("AFTERFIT_HOME")
    folder = Path(named) if named else Path.home() / ".afterfit"
    return folder.expanduser().absolute()


def private_home() -> Path:
    """Return the home, which exists and which its owner alone can open.

    Raises:
        RequestError: it cannot be made so.
    """
    folder = home_folder()
    make_private(folder)
    return folder


def make_private(folder: Path) -> None:
    """Make a home, or take away what permissions others have to one that is there.

    Raises:
        RequestError: it belongs to somebody else, or it is open to others and holds other things.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(
            f"The home cannot be made ({error}); set AFTERFIT_HOME to a folder that can be written."
        ) from error

    _check_owner(folder)
    _shut(folder)


def _check_owner(folder: Path) -> None:
    if folder.stat().st_uid != os.geteuid():
        raise RequestError(
            f"{str(folder)!r} belongs to another user: set AFTERFIT_HOME to a folder of your own."
        )


def _shut(folder: Path) -> None:
    """Take away what permissions others have.

    The rights of a folder that holds other things are left as somebody may want them.
    """
    found = folder.stat()
    if not found.st_mode & FOR_OTHERS:
        return

    mode = f"{stat.S_IMODE(found.st_mode):o}"
    names = {path.name for path in folder.iterdir()}
    if not names <= FOLDERS and "servers" not in names:
        raise RequestError(
            f"{str(folder)!r} is open to other users (mode {mode}) and holds other things: "
            "set AFTERFIT_HOME to a folder of its own."
        )

    folder.chmod(stat.S_IMODE(found.st_mode) & ~FOR_OTHERS)
    if folder.stat().st_mode & FOR_OTHERS:
        raise RequestError(
            f"{str(folder)!r} stays open to other users (mode {mode}): "
            "set AFTERFIT_HOME to a folder on a disk that keeps permissions."
        )


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder for what travels by reference during one run, and delete it afterwards.

    What dead processes left behind is deleted first.
    """
    root = private_home() / "scratch"
    root.mkdir(exist_ok=True)
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
