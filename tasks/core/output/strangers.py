"""Strangers: what a folder of scores holds that afterfit has not put there."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tasks.core.output.manifest import MANIFEST_NAME, QUARANTINE

PART = re.compile(r"part-[0-9a-z]{8}-[0-9]{5,}\.parquet")
# File managers and network file systems leave these in any folder, and nobody misses them.
LITTER = re.compile(r"\.DS_Store|Thumbs\.db|desktop\.ini|\.nfs[0-9a-f]+", re.IGNORECASE)


def is_part(name: str) -> bool:
    """Return whether a file has the name of a part.

    >>> is_part("part-01234567-00007.parquet"), is_part("part-mine.parquet")
    (True, False)
    """
    return PART.fullmatch(name) is not None


def find_strangers(folder: Path) -> list[str]:
    """List what a folder holds that is no part of an output; all of it, if there is no manifest.

    What stands under one of our names but is no file, a link or a folder, is a stranger too.
    """
    if folder.is_symlink() or folder.is_file():
        return [folder.name]

    entries = _entries_of(folder)
    if MANIFEST_NAME not in {entry.name for entry in entries}:
        return [entry.name for entry in entries]

    strangers = [entry.name for entry in entries if not _is_ours(entry)]
    if QUARANTINE not in strangers:
        quarantined = _entries_of(folder / QUARANTINE)
        others = [entry for entry in quarantined if not _is_part_file(entry)]
        strangers.extend(f"{QUARANTINE}/{entry.name}" for entry in others)
    return strangers


def delete_scores(folder: Path) -> None:
    """Delete the scores in a folder, their manifest last, and the folder if nothing is left."""
    quarantine = folder / QUARANTINE
    for path in (*_part_files(quarantine), *_part_files(folder), folder / MANIFEST_NAME):
        with suppress(OSError):
            path.unlink()

    for emptied in (quarantine, folder):
        with suppress(OSError):
            _delete_litter(emptied)
            emptied.rmdir()  # which fails on a link, and where anything is left


def _entries_of(folder: Path) -> list[os.DirEntry[str]]:
    """List what is in a folder, the litter apart; empty where there is no real folder."""
    found = [entry for entry in _scan(folder) if not LITTER.fullmatch(entry.name)]
    return sorted(found, key=lambda entry: entry.name)


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return list(entries)


def _is_ours(entry: os.DirEntry[str]) -> bool:
    if entry.name == QUARANTINE:
        return entry.is_dir(follow_symlinks=False)
    if entry.name == MANIFEST_NAME:
        return entry.is_file(follow_symlinks=False)
    return _is_part_file(entry)


def _is_part_file(entry: os.DirEntry[str]) -> bool:
    return is_part(entry.name) and entry.is_file(follow_symlinks=False)


def _part_files(folder: Path) -> Iterator[Path]:
    for entry in _entries_of(folder):
        if _is_part_file(entry):
            yield folder / entry.name


def _delete_litter(folder: Path) -> None:
    for entry in _scan(folder):
        if LITTER.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
            (folder / entry.name).unlink()
