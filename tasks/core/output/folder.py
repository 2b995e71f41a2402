"""The commit to a folder: an output appears, or is swapped for a newer one, in one step."""

import os
import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.core.errors import AfterfitError
from tasks.core.output.exchange import Exchange, beside, exchange, recover, swap, sync
from tasks.core.output.failure import read_failure, write_failure
from tasks.core.output.manifest import MANIFEST_NAME, QUARANTINE, Manifest
from tasks.core.output.staging import Staging
from tasks.core.storage.files import delete_path, list_sizes
from tasks.core.storage.locks import release_lock, wait_for_lock

LOCK_SECONDS = 600


@dataclass(frozen=True)
class FolderOutput:
    """An output in a folder of this machine, or of a file system shared with its workers.

    While a run is at work, its lock and its staging lie beside the output. The staging,
    `.NAME.staging/ATTEMPT/`, holds `parts/`, which becomes the output, `records/` and `tables/`.

    A new attempt takes over what a dead one finished by renaming its folder. A worker of the dead
    one that wakes up later finds no folder to write to, and cannot change anything.

    `lock_seconds`: how long to wait for another run. `exchange`: the system's way to exchange two
    folders; where it returns False, they are swapped by two renames.
    """

    location: str
    lock_seconds: float = LOCK_SECONDS
    exchange: Exchange = exchange

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the output's lock: one run at a time writes to it, and a dead one frees it.

        Raises:
            RequestError: the folder above the output cannot be written to.
            AfterfitError: another run holds the lock for longer than `lock_seconds`.
        """
        path = self._beside("lock")
        lock = wait_for_lock(path, self.lock_seconds)
        if lock is None:
            raise AfterfitError(
                f"Another run has been writing to {self.location} for {self.lock_seconds:g} s: "
                "try again later."
            )

        try:
            recover(Path(self.location))
            yield
        finally:
            release_lock(path, lock)

    @contextmanager
    def stage(self, _run_key: str, /) -> Iterator[Staging]:
        """Take over the staging of a dead attempt, or make a new one.

        It stays where the body fails, to be reused. The run does not matter here: parts carry the
        key of their run in their name, and those of another run are not reused.
        """
        root = self._beside("staging")
        attempt = root / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        _take_over(root, attempt)
        staging = _make_staging(attempt)

        done = False
        try:
            yield staging
            done = True
        finally:
            if done or not list_sizes(staging.records):
                shutil.rmtree(root, ignore_errors=True)

    def commit(self, manifest: Manifest, staging: Staging) -> None:
        """Put the manifest among the parts and make their folder the output, in one step.

        A reader sees the old output whole or the new one whole. Call it under the output's lock.
        """
        parts, output = Path(staging.parts), Path(self.location)
        _keep_committed(parts, manifest)
        (parts / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
        _sync_all(parts)

        if (output / MANIFEST_NAME).exists():
            swap(parts, output, self.exchange)
        else:
            parts.rename(output)
        sync(output.parent)

    def clean(self, _manifest: Manifest, /) -> None:
        """Delete what attempts have left: under the output's lock, all of them are dead."""
        shutil.rmtree(self._beside("staging"), ignore_errors=True)

    def failure(self) -> str | None:
        """Return why the last attempt did not end with a commit; None if it did, or was none."""
        return read_failure(str(self._beside("staging")))

    def remember(self, failure: str) -> None:
        """Keep why an attempt failed."""
        staging = self._beside("staging")
        staging.mkdir(parents=True, exist_ok=True)
        write_failure(str(staging), failure)

    def _beside(self, kind: str) -> Path:
        return beside(Path(self.location), kind)


def _take_over(root: Path, attempt: Path) -> None:
    """Rename the folder of one dead attempt, if there is any, and delete the others."""
    root.mkdir(exist_ok=True)

    for left in root.iterdir():
        if left.is_dir() and not attempt.exists():
            left.rename(attempt)
        else:
            delete_path(left)


def _make_staging(attempt: Path) -> Staging:
    staging = Staging(
        parts=str(attempt / "parts"),
        records=str(attempt / "records"),
        tables=str(attempt / "tables"),
    )
    quarantine = attempt / "parts" / QUARANTINE

    for folder in (quarantine, staging.records, staging.tables):
        Path(folder).mkdir(parents=True, exist_ok=True)
    return staging


def _keep_committed(parts: Path, manifest: Manifest) -> None:
    """Delete what the manifest does not list: all else would become part of the output.

    That is the unfinished part of a dead worker, or the manifest of a dead attempt.
    """
    quarantine = parts / QUARANTINE
    _keep_only(parts, [*manifest.scored_names, QUARANTINE])
    _keep_only(quarantine, manifest.quarantined_names)
    if not any(quarantine.iterdir()):
        quarantine.rmdir()


def _keep_only(folder: Path, names: Collection[str]) -> None:
    kept = set(names)
    for path in folder.iterdir():
        if path.name in kept:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _sync_all(parts: Path) -> None:
    """Write the parts and their manifest through to the disk, then the folders that name them."""
    for path in parts.rglob("*.parquet"):
        sync(path)
    sync(parts / MANIFEST_NAME)

    for folder in parts.glob(QUARANTINE):
        sync(folder)
    sync(parts)
