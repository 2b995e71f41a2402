"""Folders of the home that afterfit makes, and in which it deletes."""

from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.storage.home import private_home


def own_folder(name: str) -> Path:
    """Return a folder of the home, made if need be for its owner alone.

    Raises:
        RequestError: it cannot be made, or is a symbolic link: to delete in it would be to delete
            elsewhere.
    """
    folder = private_home() / name
    if folder.is_symlink():
        raise RequestError(
            f"{str(folder)!r} is a symbolic link, and afterfit deletes nothing behind one: take it "
            "away, or set AFTERFIT_HOME to a folder on the other disk."
        )

    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise RequestError(f"{str(folder)!r} cannot be made: {error.strerror}.") from error
    return folder
