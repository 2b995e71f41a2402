"""Patterns of paths on this machine, with links to folders followed, and each folder entered once.

The globs of fsspec and pathlib do not follow links: the rows behind them would be left out.
"""

import glob
import os
from collections.abc import Iterator, Sequence

from tasks.core.errors import RequestError

EVERYWHERE = "/**/"


def find(pattern: str) -> list[str]:
    """List what a pattern matches, hidden names too; `**` is any number of folders."""
    if pattern.endswith("/**"):
        pattern = f"{pattern}/*"

    head, everywhere, rest = pattern.partition(EVERYWHERE)
    if not everywhere:
        return glob.glob(pattern, include_hidden=True)  # noqa: PTH207 - see above

    found: list[str] = []
    for top in find(head or "/"):
        for folder in _folders_below(top.rstrip("/")):
            found += find(f"{glob.escape(folder)}/{rest}")
    return found


def _folders_below(top: str) -> Iterator[str]:
    """Yield a folder and those below it, each once: by its own name before that of a link to it."""
    entered: set[str] = set()
    folders = [top]
    links: list[str] = []
    while folders or links:
        folder = folders.pop() if folders else links.pop()
        real = os.path.realpath(folder)
        if real in entered or not os.path.isdir(real):  # noqa: PTH112 - very many
            continue

        entered.add(real)
        yield folder
        with os.scandir(folder or "/") as entries:
            for entry in entries:
                if entry.is_dir():
                    (links if entry.is_symlink() else folders).append(entry.path)


def check_once(paths: Sequence[str]) -> None:
    """Refuse files of which two are one, by a link: its rows would be read twice.

    Raises:
        RequestError: with both names.
    """
    first: dict[str, str] = {}
    for path in paths:
        other = first.setdefault(os.path.realpath(path), path)
        if other != path:
            raise RequestError(
                f"{other!r} and {path!r} are one file, by a link, and its rows would be read "
                "twice: name the files without that link."
            )
