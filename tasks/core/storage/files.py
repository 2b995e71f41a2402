"""Files, here or on an object store: written whole or not at all, read, listed and deleted."""

import os
import shutil
import stat
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from tasks.core.errors import RequestError
from tasks.core.storage.location import is_url, join, last_name, open_filesystem

SPECIAL = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def write_whole(location: str, content: bytes | memoryview, unfinished_in: str = "") -> None:
    """Write a file under its name only when it is whole.

    Until then it lies in the folder `unfinished_in` of the same file system, by default beside it.
    """
    if is_url(location):
        filesystem, inside = open_filesystem(location)
        filesystem.pipe_file(inside, bytes(content))
        return

    path = Path(location)
    writer = f"{os.getpid()}-{threading.get_ident()}"
    unfinished = Path(unfinished_in or path.parent) / f".{path.name}.{writer}.tmp"
    try:
        unfinished.write_bytes(content)
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def read_whole(location: str) -> bytes:
    """Read a file.

    Raises:
        FileNotFoundError: there is none.
    """
    if not is_url(location):
        return Path(location).read_bytes()

    filesystem, path = open_filesystem(location)
    return bytes(filesystem.cat_file(path))


def list_sizes(location: str) -> dict[str, int]:
    """List what is in a folder, by name, with sizes in bytes; empty where there is no folder."""
    if not is_url(location):
        return dict(_local_sizes(location))

    filesystem, path = open_filesystem(location)
    filesystem.invalidate_cache()
    try:
        found = filesystem.ls(path, detail=True)
    except FileNotFoundError:
        return {}

    sizes = {last_name(str(item["name"])): int(item["size"] or 0) for item in found}
    sizes.pop(last_name(path), None)  # some stores list the folder in itself
    return sizes


def _local_sizes(location: str) -> Iterator[tuple[str, int]]:
    with suppress(FileNotFoundError, NotADirectoryError):
        for entry in os.scandir(location):
            with suppress(FileNotFoundError):  # an unfinished file that has been renamed meanwhile
                yield entry.name, entry.stat().st_size


def delete(location: str) -> None:
    """Delete a file or a folder, if it exists."""
    if not is_url(location):
        delete_path(Path(location))
        return

    filesystem, inside = open_filesystem(location)
    with suppress(FileNotFoundError):
        filesystem.rm(inside, recursive=True)


def delete_named(location: str, is_ours: Callable[[str], bool]) -> None:
    """Delete the files below a URL whose names, as seen from there, are ours.

    Names that lie deeper hold a slash.
    """
    filesystem, inside = open_filesystem(location)
    filesystem.invalidate_cache()
    found = [str(path) for path in filesystem.find(inside)]
    ours = [path for path in found if is_ours(_below(inside, path))]

    if len(ours) == len(found):
        with suppress(FileNotFoundError):
            filesystem.rm(inside, recursive=True)  # also what stands for an empty folder
    elif ours:
        filesystem.rm(ours)


def _below(folder: str, path: str) -> str:
    """Name a path as seen from a folder above it; some stores write a slash before both."""
    return path.strip("/").removeprefix(f"{folder.strip('/')}/")


def delete_path(path: Path) -> None:
    """Delete a file or a link of this machine, or a folder as far as that can be done.

    What a link leads to stays.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def is_vacant(path: Path) -> bool:
    """Return whether there is nothing at a path, or a real folder with nothing in it."""
    if path.is_symlink():
        return False
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def copy_all(source: str, target: str, names: Collection[str]) -> None:
    """Copy files from one folder of an object store to another, without fetching them.

    A file that is gone is left out.
    """
    if not names:
        return

    filesystem, inside = open_filesystem(source)
    _, other = open_filesystem(target)
    filesystem.copy(
        [join(inside, name) for name in names],
        [join(other, name) for name in names],
        on_error="ignore",
    )


def open_binary(location: str) -> Any:
    """Open a file for reading bytes, here or on an object store."""
    filesystem, path = open_filesystem(location)
    return filesystem.open(path, "rb")


def open_unbuffered(path: str) -> FileIO:
    """Open a file of this machine for reads into memory that the reader provides."""
    return Path(path).open("rb", buffering=0)


def check_regular(path: str) -> None:
    """Refuse what is no regular file: to open it may wait for ever, and it cannot be read twice.

    Raises:
        RequestError: it is a pipe, a socket or a device.
    """
    try:
        mode = Path(path).stat().st_mode
    except OSError:  # what opens it says this better
        return

    if special := SPECIAL.get(stat.S_IFMT(mode)):
        raise RequestError(
            f"{path!r} is {special}, not a file: write what it holds to a file, and name that."
        )


def check_exists(path: str) -> None:
    """Refuse the name of a file that is not there.

    Raises:
        RequestError: there is no such file, or it is no regular one.
    """
    check_regular(path)
    if not Path(path).is_file():
        raise RequestError(f"There is no file {path}.")
