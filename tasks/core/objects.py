"""The commit to an object store: the manifest, written last and only if nobody else wrote it meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.core.commit import FolderOutput, check_ours, folder_output
from tasks.core.errors import AfterfitError, RequestError
from tasks.core.files import delete, join, list_sizes, read_whole
from tasks.core.manifest import NAME, QUARANTINE, RUN_KEY_SHOWN, Manifest
from tasks.core.sources import check_absolute, is_url, open_filesystem
from tasks.core.staging import Staging

STAGING = "_staging"


@dataclass(frozen=True)
class ObjectOutput:
    """An output below an fsspec URL. Parts are written under their own names; readers follow the manifest.

    There is no lock: of two runs that commit at once, the second finds the manifest changed and fails. A worker of a
    dead attempt can only write again what the same run key stands for.
    """

    location: str
    manifest_before: bytes | None = None  # what the manifest held when the run began

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold nothing: the commit itself is conditional."""
        yield

    @contextmanager
    def stage(self, run_key: str, scratch: Path) -> Iterator[Staging]:
        """Gather parts below the output itself, with records of their own; these stay where the body fails."""
        yield Staging(self.location, join(self.location, STAGING, run_key[:RUN_KEY_SHOWN]), str(scratch))
        delete(join(self.location, STAGING))

    def begun(self) -> bool:
        """Tell whether an attempt was begun and not finished."""
        return bool(list_sizes(join(self.location, STAGING)))

    def discard(self) -> None:
        """Delete what an attempt left, now that nobody needs it."""
        delete(join(self.location, STAGING))

    def commit(self, manifest: Manifest, staging: Staging) -> None:  # noqa: ARG002 - folders need it
        """Write the manifest, which makes its parts the output, then delete what it does not name.

        Raises:
            AfterfitError: another run has committed since this one began.
        """
        filesystem, path = open_filesystem(join(self.location, NAME))
        try:
            write_if_unchanged(filesystem, path, manifest.to_json().encode(), self.manifest_before)
        except FileExistsError as error:
            raise AfterfitError(
                f"Another run has committed to {self.location} since this one began: look at its scores, run again."
            ) from error
        known = {part.name for part in manifest.parts if part.sha256}
        quarantined = {part.name for part in manifest.parts if part.quarantine_sha256}
        for folder, names in ((self.location, known), (join(self.location, QUARANTINE), quarantined)):
            for name in list_sizes(folder):
                if name.startswith("part-") and name not in names:
                    delete(join(folder, name))


def write_if_unchanged(filesystem: Any, path: str, content: bytes, before: bytes | None) -> None:
    """Write an object if it still holds what it held before (nothing, if `before` is None).

    S3 and its kin decide it themselves (`If-None-Match`, `If-Match`); elsewhere it is read again just before.

    Raises:
        FileExistsError: it was changed meanwhile.
    """
    filesystem.invalidate_cache()
    condition = {"mode": "create"}
    if before is not None:
        condition = {"IfMatch": filesystem.info(path)["ETag"]} if "s3" in _protocols(filesystem) else {}
        if filesystem.cat_file(path) != before:
            raise FileExistsError(path)
    try:
        filesystem.pipe_file(path, content, **condition)
    except OSError as error:
        if _is_conflict(error):
            raise FileExistsError(path) from error
        raise


def _protocols(filesystem: Any) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _is_conflict(error: OSError) -> bool:
    """Tell a write that the store refused because the object is another one from other failures."""
    return isinstance(error, FileExistsError) or any(
        word in f"{error} {error.__cause__}" for word in ("PreconditionFailed", "pre-conditions", "ConditionalRequest")
    )


Output = FolderOutput | ObjectOutput


def open_output(output: str) -> Output:
    """Find out what kind of output a path or URL names.

    Raises:
        RequestError: it is no place for scores.
    """
    if not is_url(output):
        return folder_output(output)
    check_absolute(output)
    try:
        names = [name for name in sorted(list_sizes(output)) if name != STAGING]
        check_ours(output, names, committed=True)  # a dead attempt's parts lie there without a manifest
        before = read_whole(join(output, NAME))
    except FileNotFoundError:
        before = None
    except OSError as error:
        raise RequestError(f"{output} cannot be read: {error}") from error
    return ObjectOutput(output.rstrip("/"), before)
