"""Failure: why the last attempt at an output did not end with a commit."""

from tasks.core.storage.files import delete, list_sizes, read_whole, write_whole
from tasks.core.storage.location import join

FAILURE = "failure.txt"  # in a staging folder


def write_failure(staging: str, failure: str) -> None:
    """Keep in a staging folder why an attempt failed."""
    write_whole(join(staging, FAILURE), failure.encode())


def forget_failure(staging: str) -> None:
    """Delete the reason that a staging folder keeps, if there is one."""
    delete(join(staging, FAILURE))


def read_failure(staging: str) -> str | None:
    """Read in a staging folder why an attempt failed; None if there is no such folder."""
    if not list_sizes(staging):
        return None

    try:
        return read_whole(join(staging, FAILURE)).decode()
    except FileNotFoundError:
        return "an attempt was begun and not finished"
