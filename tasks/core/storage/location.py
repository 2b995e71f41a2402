"""Locations: paths of this machine, and URLs of object stores."""

from pathlib import Path
from typing import Any

import fsspec

from tasks.core.errors import RequestError
from tasks.core.storage.secrets import check_no_secrets, without_secrets


def join(location: str, *names: str) -> str:
    """Name something inside a folder or below a URL.

    >>> join("s3://bucket/scores/", "_manifest.json")
    's3://bucket/scores/_manifest.json'
    """
    return "/".join([location.rstrip("/"), *names])


def last_name(location: str) -> str:
    """Return the last name in a path or URL.

    >>> last_name("s3://bucket/scores/_runs/01234567-89abcdef/")
    '01234567-89abcdef'
    """
    return location.rstrip("/").rpartition("/")[2]


def open_filesystem(source: str) -> tuple[Any, str]:
    """Find the fsspec file system of a path or URL, and the path within it.

    Raises:
        RequestError: nothing can open such a URL.
    """
    try:
        filesystem, path = fsspec.core.url_to_fs(source)
    except (ImportError, ValueError) as error:
        sentence = f"{source} cannot be opened: {error}"
        raise RequestError(without_secrets(sentence)) from error
    return filesystem, str(path)


def check_absolute(location: str) -> None:
    """Refuse a path that depends on where a worker runs, and a URL that gives a secret away.

    Raises:
        RequestError: it is such a path or URL.
    """
    check_no_secrets(location)
    if not is_url(location) and not Path(location).is_absolute():
        raise RequestError(
            f"{location!r} is a relative path, and a run has no folder of its own: "
            "give it from / on."
        )


def is_url(location: str) -> bool:
    """Return whether this is a URL, not a path of this machine."""
    return "://" in location


def absolute(location: str, folder: Path) -> str:
    """Make a path absolute and leave a URL alone.

    >>> absolute("new/*.csv", Path("/data"))
    '/data/new/*.csv'
    >>> absolute("s3://bucket/new", Path("/data"))
    's3://bucket/new'

    Raises:
        RequestError: a URL gives a secret away, or `~NAME` names nobody.
    """
    check_no_secrets(location)
    if is_url(location):
        return location

    try:
        return str(folder / Path(location).expanduser())
    except RuntimeError as error:
        raise RequestError(f"{location!r} names the home of a user who is not there.") from error


def absolute_output(output: str, folder: Path) -> str:
    """Make the path of an output absolute, as `absolute` does.

    >>> absolute_output("scores/", Path("/data"))
    '/data/scores'

    Raises:
        RequestError: it has no name of its own, as where a variable of the shell is not set.
    """
    if not output.strip():
        raise RequestError(
            f"The output is {output!r}: name a folder or a URL. Is a variable of the shell not set?"
        )
    place = output.partition("://")[2] if is_url(output) else output
    if last_name(place) in {"", ".", ".."}:
        raise RequestError(
            f"The output is {output!r}, which names no folder of its own: "
            "name the one that will hold the scores."
        )
    return absolute(output, folder)
