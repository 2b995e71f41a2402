"""Digests: the identity of documents, files and folders."""

import hashlib
import json
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
    files = (path for path in folder.rglob("*") if path.is_file())
    names = sorted(str(path.relative_to(folder)) for path in files)

    digest = hashlib.sha256()
    for name in names:
        line = f"{file_digest(folder / name)}  {name}\n"
        digest.update(line.encode())
    return digest.hexdigest()
