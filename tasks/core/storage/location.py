"""Locations: paths of this machine, and URLs of object stores."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fsspec

from tasks.core.errors import RequestError


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
        raise RequestError(f"{without_secrets(source)} cannot be opened: {error}") from error
    return filesystem, str(path)


def check_absolute(location: str) -> None:
    """Refuse a path that depends on where a worker runs, and a URL that gives a secret away.

    Raises:
        RequestError: it is such a path or URL.
    """
    shown = without_secrets(location)
    if shown != location:
        raise RequestError(
            f"{shown}: leave user and password out of the URL, which runs and manifests show; "
            "fsspec takes them from its configuration or from the environment."
        )

    if not is_url(location) and not Path(location).is_absolute():
        raise RequestError(
            f"{location!r} is a relative path, and a run has no folder of its own: "
            "give it from / on."
        )


def is_url(location: str) -> bool:
    """Return whether this is a URL, not a path of this machine."""
    return "://" in location


def without_secrets(location: str) -> str:
    """Take a user and a password out of a URL before it is shown.

    >>> without_secrets("s3://key:secret@bucket/in")
    's3://bucket/in'
    """
    parts = urlsplit(location)
    if "@" not in parts.netloc:
        return location

    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host).geturl()


def absolute(location: str, folder: Path) -> str:
    """Make a path absolute and leave a URL alone.

    >>> absolute("new/*.csv", Path("/data"))
    '/data/new/*.csv'
    >>> absolute("s3://bucket/new", Path("/data"))
    's3://bucket/new'

    Raises:
        RequestError: a URL gives a secret away, or `~NAME` names nobody.
    """
    if is_url(location):
        check_absolute(location)
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
