"""The file of a model from elsewhere: copied once, and held against limits before it is opened."""

import os
import shutil
import stat
import zipfile
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.storage.files import check_exists

MOST_BYTES = 1 << 32  # of the file, and of all that is packed in it
MOST_RATIO = 100  # a forest packs to a fifth, a bomb to a thousandth
ALWAYS_ALLOWED = 1 << 26  # bytes: unpacked, these do no harm, whatever the ratio


def copy_model(model: str, copy: Path, most: int = MOST_BYTES) -> Path:
    """Copy a model file, opened once: what is checked, hashed and loaded is the copy.

    Raises:
        RequestError: it is no file, no regular file, cannot be read, or is too large.
    """
    check_exists(model)
    try:
        # A pipe that takes its place now would otherwise never open.
        descriptor = os.open(model, os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb") as source, copy.open("xb") as target:  # noqa: PTH123 - by descriptor
            about = os.fstat(descriptor)
            _check_regular(model, about.st_mode)
            _check_size(model, about.st_size, most)
            shutil.copyfileobj(source, target)
    except OSError as error:
        raise RequestError(f"{model} cannot be read: {error.strerror or error}.") from error
    return copy


def _check_regular(model: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise RequestError(f"{model} is no regular file: give a file that skops has written.")


def _check_size(model: str, size: int, most: int) -> None:
    if size > most:
        raise RequestError(
            f"{model} has {_megabytes(size)} MB, and a model file may have {_megabytes(most)} MB."
        )


def check_archive(path: Path, most: int = MOST_BYTES) -> int:
    """Refuse a zip file that would unpack to more than it should, by what its directory says.

    A directory may lie: what unpacks it has a limit of memory, too.

    Args:
        path: the file.
        most: the bytes that it may unpack to.

    Returns:
        the bytes that it unpacks to.

    Raises:
        RequestError: it is no zip file, or unpacks to too much.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise RequestError(f"it is not a skops file that can be read: {error}") from error

    unpacked = sum(member.file_size for member in members)
    packed = max(1, path.stat().st_size)
    is_bomb = unpacked > max(ALWAYS_ALLOWED, MOST_RATIO * packed)
    if unpacked > most or is_bomb:
        raise RequestError(
            f"it would unpack from {_megabytes(packed)} MB to {_megabytes(unpacked)} MB, "
            "which is more than a model file may: do not use it."
        )
    return unpacked


def _megabytes(size: int) -> str:
    """Return a size in MB, with one decimal.

    >>> _megabytes(2_500_000)
    '2.5'
    """
    return f"{size / 1e6:,.1f}"
