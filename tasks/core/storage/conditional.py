"""Conditional writes: an object is replaced only if nobody else has replaced it meanwhile."""

from typing import Any

CONFLICTS = ("PreconditionFailed", "pre-conditions", "ConditionalRequest")


def is_conditional(filesystem: Any) -> bool:
    """Return whether a store itself replaces an object only if it is the expected one.

    S3 and its kin do.
    """
    protocol = filesystem.protocol
    names = (protocol,) if isinstance(protocol, str) else protocol
    return "s3" in names


def write_if_unchanged(filesystem: Any, path: str, content: bytes, before: bytes | None) -> None:
    """Write an object if it still holds `before`; if that is None, only where there is no object.

    S3 and its kin check this themselves (`If-None-Match`, `If-Match`). Elsewhere the object is read
    again just before.

    Raises:
        FileExistsError: it was changed meanwhile.
    """
    filesystem.invalidate_cache()
    condition = {"mode": "create"}

    if before is not None:
        condition = _hold_against(filesystem, path, before)

    try:
        filesystem.pipe_file(path, content, **condition)
    except OSError as error:
        if _is_conflict(error):
            raise FileExistsError(path) from error
        raise


def _hold_against(filesystem: Any, path: str, before: bytes) -> dict[str, str]:
    """Refuse an object that is not the expected one; return the store's own condition, if any."""
    condition = {}
    try:
        if is_conditional(filesystem):
            condition = {"IfMatch": filesystem.info(path)["ETag"]}
        found = filesystem.cat_file(path)
    except FileNotFoundError as error:
        raise FileExistsError(path) from error

    if found != before:
        raise FileExistsError(path)
    return condition


def _is_conflict(error: OSError) -> bool:
    """Return whether the store refused a write because it holds another object."""
    said = f"{error} {error.__cause__}"
    return isinstance(error, FileExistsError) or any(word in said for word in CONFLICTS)
