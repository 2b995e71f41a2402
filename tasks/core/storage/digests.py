"""Digests: the identity of documents, files and folders."""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any


def digest_of(document: Any) -> str:
    """Return the sha256 of a JSON document, whatever the order of its keys.

    >>> digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    True
    """
    content = json.dumps(
        document,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        default=str,
    )
    return hashlib.sha256(content.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: Path) -> str:
    """Return one sha256 over the names and contents of all files in a folder."""
    return read_folder(folder)[0]


def read_folder(folder: Path, keep: Collection[str] = ()) -> tuple[str, dict[str, bytes]]:
    """Return the digest of a folder, and the contents of some of its files.

    Each file is opened once: the contents are the very bytes that were digested. Symbolic links are
    not followed; a folder with one in it, or with a pipe, has a digest like no other.

    Args:
        folder: the folder.
        keep: the names of the files to return, as far as they are there.
    """
    whole = hashlib.sha256()
    contents: dict[str, bytes] = {}

    for name in sorted(_names_inside(folder)):
        with _open_file(folder / name) as file:
            if file is None:
                digest = "no file"
            elif name in keep:
                contents[name] = file.read()
                digest = hashlib.sha256(contents[name]).hexdigest()
            else:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{digest}  {name}\n".encode(errors="surrogateescape"))

    return whole.hexdigest(), contents


def _names_inside(folder: Path) -> Iterator[str]:
    """Yield the path below a folder of all that is in it, but for folders."""
    for root, folders, files in os.walk(folder):
        links = [name for name in folders if Path(root, name).is_symlink()]
        for name in (*files, *links):
            yield str(Path(root, name).relative_to(folder))


@contextmanager
def _open_file(path: Path) -> Iterator[BufferedReader | None]:
    """Open a file; None in its place if this is none, such as a symbolic link or a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.ENXIO}:  # a link, a socket
            raise
        yield None
        return

    with os.fdopen(descriptor, "rb") as file:
        yield file if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
