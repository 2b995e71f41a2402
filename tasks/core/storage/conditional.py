"""Conditional writes: an object is replaced only if nobody else has replaced it meanwhile."""

from typing import Any


def is_conditional(filesystem: Any) -> bool:
    """Tell whether a store replaces an object only if it is the expected one: S3 and its kin do."""
    protocol = filesystem.protocol
    return "s3" in ((protocol,) if isinstance(protocol, str) else protocol)


def write_if_unchanged(filesystem: Any, path: str, content: bytes, before: bytes | None) -> None:
    """Write an object if it still holds what it held before (nothing, if `before` is None).

    S3 and its kin decide it themselves (`If-None-Match`, `If-Match`); elsewhere it is read again
    just before.

    Raises:
        FileExistsError: it was changed meanwhile.
    """
    filesystem.invalidate_cache()
    condition = {"mode": "create"}
    if before is not None:
        condition = {"IfMatch": filesystem.info(path)["ETag"]} if is_conditional(filesystem) else {}
        if filesystem.cat_file(path) != before:
            raise FileExistsError(path)
    try:
        filesystem.pipe_file(path, content, **condition)
    except OSError as error:
        if _is_conflict(error):
            raise FileExistsError(path) from error
        raise


def _is_conflict(error: OSError) -> bool:
    """Tell a write that the store refused because the object is another one from other failures."""
    return isinstance(error, FileExistsError) or any(
        word in f"{error} {error.__cause__}"
        for word in ("PreconditionFailed", "pre-conditions", "ConditionalRequest")
    )
