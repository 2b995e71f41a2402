"""The paths of a source: which files it means, in the order of their names."""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from tasks.core.errors import RequestError
from tasks.core.storage.files import check_regular
from tasks.core.storage.location import check_absolute, join, last_name, open_filesystem
from tasks.core.storage.secrets import without_secrets
from tasks.core.tables.file_names import format_of, is_hidden, is_table
from tasks.core.tables.local_glob import check_once, find
from tasks.core.tables.partitions import is_partition
from tasks.core.tables.table_formats import (
    check_finished,
    check_folders,
    check_names,
    folders_of,
    is_local,
)
from tasks.core.tables.transactions import check_committed

WILDCARDS = "*?["


def list_paths(source: str) -> list[str]:
    """List the files of a source within its file system, sorted.

    Raises:
        RequestError: there are none, or they are not all Parquet or all CSV.
    """
    check_absolute(source)
    filesystem, path = open_filesystem(source)
    filesystem.invalidate_cache()  # stores remember what they listed
    paths = source_paths(filesystem, path)

    if not paths:
        raise RequestError(f"There is nothing to read at {without_secrets(source)}.")
    if len({format_of(path) for path in paths}) > 1:
        raise RequestError(
            f"{without_secrets(source)} holds both Parquet and CSV files: name one kind, as in "
            "`folder/*.csv`."
        )
    return paths


def exists(source: str) -> bool:
    """Return whether a source has any file."""
    return bool(source_paths(*open_filesystem(source)))


def source_paths(filesystem: Any, path: str) -> list[str]:
    """List the files that a path within a file system means, sorted; there may be none.

    Raises:
        RequestError: they cannot be listed, they belong to a table of which only a log says what
            counts, one is no regular file, or the path is that of a folder with folders in it
            that are no partitions.
    """
    try:
        root = _root_of(filesystem, path)
        inside = join(root, "*")
        above = folders_of(filesystem, [inside])
        check_folders(filesystem, above, root)  # before anybody is told to name what is inside

        paths = sorted(_matching_paths(filesystem, path))
        check_folders(filesystem, folders_of(filesystem, paths) - above, root)
        check_finished(filesystem, [inside, *paths], root)
        check_names(paths)
        if is_local(filesystem):
            check_once(paths)
        check_committed(filesystem, paths)
    except RequestError:
        raise
    except Exception as error:  # stores raise what their own libraries raise
        reason = " ".join(str(error).split())
        raise RequestError(without_secrets(f"{path} cannot be listed: {reason}")) from error
    return paths


def _root_of(filesystem: Any, path: str) -> str:
    """Return the folder that a glob begins in; a path that is there is its own."""
    starts = [path.find(mark) for mark in WILDCARDS if mark in path]
    if not starts or filesystem.exists(path):
        return path
    return path[: min(starts)].rpartition("/")[0]


def _matching_paths(filesystem: Any, path: str) -> list[str]:
    if filesystem.isdir(path):
        return list(_paths_in(filesystem, path))

    if filesystem.exists(path):
        if is_local(filesystem):
            check_regular(path)
        return [path]

    if any(mark in path for mark in WILDCARDS):
        return _paths_like(filesystem, path)
    return []


def _paths_in(filesystem: Any, folder: str) -> Iterator[str]:
    """Yield the tables in a folder, and those in its partitions."""
    partitions: list[str] = []
    others: list[str] = []
    for item in filesystem.ls(folder, detail=True):
        path = str(item["name"])
        if not _is_folder(filesystem, item):
            if is_table(path):
                yield path
        elif path != folder and not is_hidden(path):
            kind = partitions if is_partition(last_name(path)) else others
            kind.append(path)

    if others:
        raise RequestError(
            f"{folder} holds folders ({min(map(last_name, others))}): name the files, as in "
            f"{folder}/*.parquet, or {folder}/**/*.parquet for those inside of them too."
        )
    for partition in partitions:
        yield from _paths_in(filesystem, partition)


def _is_folder(filesystem: Any, item: dict[str, Any]) -> bool:
    """Return whether something that was listed is a folder, or a link to one.

    Raises:
        RequestError: it is named like a table, and is no regular file.
    """
    path = str(item["name"])
    if item["type"] != "other" or not is_local(filesystem):
        return bool(item["type"] == "directory")

    if is_table(path):
        check_regular(path)
    return Path(path).is_dir()


def _paths_like(filesystem: Any, pattern: str) -> list[str]:
    """List the files that a pattern matches.

    As in a folder, names that begin with _ or a dot are left out, unless the pattern has them.

    Raises:
        RequestError: it matches a folder of tables, or what is no regular file.
    """
    find_paths = find if is_local(filesystem) else filesystem.glob
    found = {str(path) for path in find_paths(pattern)}
    start = len(_root_of(filesystem, pattern))
    meant = [path for path in found if _is_meant(path[start:], pattern)]

    paths: list[str] = []
    folders: list[str] = []
    for path in meant:
        is_folder = filesystem.isdir(path)
        (folders if is_folder else paths).append(path)
    if is_local(filesystem):
        for path in paths:
            check_regular(path)

    _check_read(folders, paths, pattern)
    return paths


def _is_meant(path: str, pattern: str) -> bool:
    """Return whether each hidden name in a path is also hidden in the pattern.

    >>> _is_meant("/_old/a.csv", "/in/*/a.csv"), _is_meant("/_old/a.csv", "/in/_*/a.csv")
    (False, True)
    """
    hidden = [name for name in path.split("/") if is_hidden(name)]
    patterns = pattern.split("/")
    return all(
        any(part[:1] == name[:1] and fnmatchcase(name, part) for part in patterns)
        for name in hidden
    )


def _check_read(folders: Sequence[str], paths: Iterable[str], pattern: str) -> None:
    """Refuse a pattern that matches folders of tables and not the files in them."""
    if not folders:
        return

    entered = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    for folder in folders:
        holds_tables = is_table(folder) or is_partition(last_name(folder))
        if holds_tables and str(PurePosixPath(folder)) not in entered:
            raise RequestError(
                f"{folder} is a folder, and the files in it would be left out: name them, as in "
                f"{pattern.rstrip('/')}/**/*.parquet."
            )
