"""The commit to a folder: how an output appears, or is swapped for a newer one, in one step."""

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output.exchange import swap, sync
from tasks.core.output.manifest import MANIFEST_NAME, QUARANTINE, Manifest
from tasks.core.output.staging import Staging
from tasks.core.storage.files import list_sizes, read_whole, write_whole
from tasks.core.storage.location import check_absolute, join

LOCK_SECONDS = 600
FAILURE = "failure.txt"  # in a staging folder: why the last attempt failed


@dataclass(frozen=True)
class FolderOutput:
    """An output that is a folder of this machine, or of a file system that it shares with its
    workers.

    Beside it lie, while a run is at work, its lock and its staging: `.NAME.staging/ATTEMPT/` with
    `parts/`, which becomes the output, and `records/`. A new attempt takes over what a dead one
    finished by renaming its folder: a worker of the dead one that wakes up later finds no folder to
    write to, and cannot change anything.
    """

    location: str

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the output's lock: one run at a time writes to it. The lock of a dead process is
        free.

        Raises:
            RequestError: the folder above the output cannot be written to.
            AfterfitError: another run holds the lock for longer than ten minutes.
        """
        path = self._beside("lock")
        deadline = time.monotonic() + LOCK_SECONDS
        while (descriptor := _try_lock(path)) is None:
            if time.monotonic() > deadline:
                raise AfterfitError(
                    f"Another run has been writing to {self.location} for {LOCK_SECONDS} s: try again later."
                )
            time.sleep(0.1)
        try:
            self._recover()
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)

    @contextmanager
    def stage(self, _run_key: str, /) -> Iterator[Staging]:
        """Take over the staging of a dead attempt, or make a new one; it stays where the body
        fails, to be reused.
        """
        root = self._beside("staging")
        root.mkdir(exist_ok=True)
        attempt = root / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        for dead in root.iterdir():
            if attempt.exists() or not dead.is_dir():
                shutil.rmtree(dead, ignore_errors=True) if dead.is_dir() else dead.unlink()
            else:
                dead.rename(attempt)
        staging = Staging(*(str(attempt / kind) for kind in ("parts", "records", "tables")))
        for folder in (
            staging.parts,
            staging.records,
            staging.tables,
            f"{staging.parts}/{QUARANTINE}",
        ):
            Path(folder).mkdir(parents=True, exist_ok=True)
        done = False
        try:
            yield staging
            done = True
        finally:
            if done or not list_sizes(staging.records):
                shutil.rmtree(root, ignore_errors=True)

    def failure(self) -> str | None:
        """Tell why the last attempt did not end with a commit; nothing if there was none, or it
        did.
        """
        return read_failure(str(self._beside("staging")))

    def remember(self, failure: str) -> None:
        """Keep why an attempt failed."""
        self._beside("staging").mkdir(parents=True, exist_ok=True)
        write_whole(str(self._beside("staging") / FAILURE), failure.encode())

    def clean(self, _manifest: Manifest, /) -> None:
        """Delete what attempts have left, now that nobody needs it. Call it under the output's
        lock.
        """
        shutil.rmtree(self._beside("staging"), ignore_errors=True)

    def commit(self, manifest: Manifest, staging: Staging) -> None:
        """Put the manifest among the parts and make their folder the output, in one step.

        A reader sees the old output whole or the new one whole. Call it under the output's lock.
        """
        parts, output = Path(staging.parts), Path(self.location)
        _keep_only(parts, {part.name for part in manifest.parts if part.sha256} | {QUARANTINE})
        _keep_only(
            parts / QUARANTINE, {part.name for part in manifest.parts if part.quarantine_sha256}
        )
        if not any((parts / QUARANTINE).iterdir()):
            (parts / QUARANTINE).rmdir()
        (parts / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
        for path in [
            *parts.rglob("*.parquet"),
            parts / MANIFEST_NAME,
            *parts.glob(QUARANTINE),
            parts,
        ]:
            sync(path)
        if (output / MANIFEST_NAME).exists():
            swap(parts, output)
        else:
            parts.rename(output)
        sync(output.parent)

    def _recover(self) -> None:
        """Finish what a dead process left half done between two renames: the old output comes
        back.
        """
        old, output = self._beside("old"), Path(self.location)
        if old.exists() and not output.exists():
            old.rename(output)
        shutil.rmtree(old, ignore_errors=True)

    def _beside(self, kind: str) -> Path:
        output = Path(self.location)
        return output.parent / f".{output.name}.{kind}"


def read_failure(staging: str) -> str | None:
    """Read in a staging folder why an attempt failed, if there is such a folder."""
    if not list_sizes(staging):
        return None
    try:
        return read_whole(join(staging, FAILURE)).decode()
    except FileNotFoundError:
        return "an attempt was begun and not finished"


def folder_output(output: str) -> FolderOutput:
    """Resolve the path of an output, through symbolic links.

    Raises:
        RequestError: it is a file, or a folder that afterfit did not write, or lies in one that it
            did.
    """
    check_absolute(output)
    path = Path(os.path.realpath(output))
    if (
        os.path.lexists(path) and not path.is_dir()
    ):  # a device, a pipe and a link to itself are no place either
        raise RequestError(f"{path} is a file: name a folder that does not exist yet.")
    if path.is_mount():
        raise RequestError(
            f"{path} is a mount point, which cannot be swapped in one step: name a folder inside it."
        )
    if above := next(
        (parent for parent in path.parents if (parent / MANIFEST_NAME).is_file()), None
    ):
        raise RequestError(
            f"{path} lies in {above}, which holds scores: a replacement would delete it. Name another."
        )
    names = sorted(child.name for child in path.iterdir()) if path.is_dir() else []
    if foreign := [
        name for name in names if not (MANIFEST_NAME in names and _is_ours(name))
    ]:  # a swap would delete them
        raise RequestError(
            f"{path} holds files that are no scores of afterfit ({foreign[0]}): name another folder."
        )
    return FolderOutput(str(path))


def _is_ours(name: str) -> bool:
    return name in {MANIFEST_NAME, QUARANTINE} or (
        name.startswith("part-") and name.endswith(".parquet")
    )


def _try_lock(path: Path) -> int | None:
    """Lock the file at a path; nothing where another process has it, or has just removed it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
    except OSError as error:
        raise RequestError(f"{path.parent} cannot be written to: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _keep_only(folder: Path, names: set[str]) -> None:
    """Delete what else is in a folder: the unfinished part of a dead worker, the manifest of a dead
    attempt.
    """
    for path in folder.iterdir():
        if path.name not in names:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
