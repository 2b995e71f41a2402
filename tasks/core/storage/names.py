"""Names that others give: checked for their form before they become a part of a path.

The registry, a manifest and a command line are not ours to trust: `../x` is a name, too.
"""

import hashlib
import re

from tasks.core.errors import RequestError

DIGEST = re.compile("[0-9a-f]{64}")
LONGEST_FILE_NAME = 255  # bytes, on every file system that scores are written to
LONGEST_SHOWN = 80


def is_digest(name: str) -> bool:
    """Return whether this is a sha256 as we write it.

    >>> is_digest("5f" * 32), is_digest("../x"), is_digest("5F" * 32)
    (True, False, False)
    """
    return DIGEST.fullmatch(name) is not None


def check_digest(name: str, owner: str) -> None:
    """Refuse a digest that is none, before it names a folder.

    Raises:
        RequestError: with its owner, such as `bike version 3`.
    """
    if not is_digest(name):
        raise RequestError(
            f"{owner} cannot be used: {name[:LONGEST_SHOWN]!r}, which stands for the digest of its "
            "files, is no sha256. Somebody has changed its tags; use another version."
        )


def is_file_name(name: str) -> bool:
    """Return whether this names a file in a folder, and nothing outside of it.

    >>> is_file_name("part-0.parquet"), is_file_name(".."), is_file_name("a/b")
    (True, False, False)
    """
    if name in {"", ".", ".."} or not name.isprintable():
        return False
    is_short = len(name.encode(errors="replace")) <= LONGEST_FILE_NAME
    return is_short and not re.search(r"[/\\]", name)


def lock_name(name: str) -> str:
    """Return the name of the lock file of whatever has this name, which may hold anything.

    >>> lock_name("../x")
    'd6b96a97d147daaa.lock'
    """
    return f"{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:16]}.lock"
