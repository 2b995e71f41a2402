"""The commit to an object store: the manifest, written last and only if nobody else wrote it meanwhile."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.core.commit import FAILURE, FolderOutput, folder_output, read_failure
from tasks.core.errors import AfterfitError, RequestError
from tasks.core.files import delete, join, list_sizes, read_whole, write_whole
from tasks.core.manifest import NAME, RUN_KEY_SHOWN, RUNS, STAGING, Manifest, read_manifest
from tasks.core.sources import check_absolute, is_url, open_filesystem
from tasks.core.staging import Staging


@dataclass(frozen=True)
class ObjectOutput:
    """An output below an fsspec URL: `_manifest.json`, and the parts in `_runs/KEY/`, a folder for each run.

    Readers follow the manifest; those that list the URL and skip names with a leading `_` see nothing, never a mix.
    There is no lock: of two runs that commit at once, the second finds the manifest changed and fails. A worker of a
    dead attempt can only write again what its run key stands for.
    """

    location: str
    manifest_before: bytes | None = None  # what the manifest held when the run began

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold nothing: the commit itself is conditional."""
        yield

    @contextmanager
    def stage(self, run_key: str, scratch: Path) -> Iterator[Staging]:
        """Gather parts where they stay, with records beside; both stay where the body fails, to be reused."""
        records = self._records(run_key)
        yield Staging(join(self.location, folder_of(run_key)), records, str(scratch))
        self.discard(run_key)

    def failure(self) -> str | None:
        """Tell why the last attempt did not end with a commit; nothing if there was none, or it did."""
        return read_failure(join(self.location, STAGING))

    def remember(self, failure: str) -> None:
        """Keep why an attempt failed."""
        write_whole(join(self.location, STAGING, FAILURE), failure.encode())

    def discard(self, run_key: str) -> None:
        """Delete what an attempt left, now that nobody needs it."""
        delete(self._records(run_key))
        delete(join(self.location, STAGING, FAILURE))

    def commit(self, manifest: Manifest, staging: Staging) -> None:  # noqa: ARG002 - folders need it
        """Write the manifest, which makes its parts the output, then delete the parts of the output before.

        Raises:
            AfterfitError: another run has committed since this one began.
        """
        filesystem, path = open_filesystem(join(self.location, NAME))
        try:
            write_if_unchanged(filesystem, path, manifest.to_json().encode(), self.manifest_before)
        except FileExistsError as error:
            now = read_manifest(self.location)
            if now is None or now.run_key != manifest.run_key:
                raise AfterfitError(
                    f"Another run has committed to {self.location} since this one began: look at its scores, run again."
                ) from error
        old = _folder_in(self.manifest_before)
        if old.startswith(f"{RUNS}/") and old != manifest.folder:  # of no other run: it may be at work
            delete(join(self.location, old))

    def folder(self, run_key: str) -> str:
        """Tell where the parts of a run lie below the output."""
        return folder_of(run_key)

    def _records(self, run_key: str) -> str:
        return join(self.location, STAGING, run_key[:RUN_KEY_SHOWN])


def folder_of(run_key: str) -> str:
    """Name the folder of a run.

    >>> folder_of("0123456789abcdef")
    '_runs/01234567'
    """
    return f"{RUNS}/{run_key[:RUN_KEY_SHOWN]}"


def _folder_in(manifest: bytes | None) -> str:
    """Read the folder that a manifest names, whatever else is wrong with it."""
    try:
        return str(json.loads(manifest or b"{}").get("folder", ""))
    except (ValueError, AttributeError):
        return ""


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
    output = output.removeprefix("file://")
    if not is_url(output):
        return folder_output(output)
    check_absolute(output)
    try:
        foreign = sorted(list_sizes(output).keys() - {NAME, RUNS, STAGING})
        before = read_whole(join(output, NAME))
    except FileNotFoundError:
        before = None
    except OSError as error:
        raise RequestError(f"{output} cannot be read: {error}") from error
    if foreign:
        raise RequestError(f"{output} holds what is no scores of afterfit ({foreign[0]}): name another place.")
    return ObjectOutput(output.rstrip("/"), before)
