"""The commit to a folder: an output appears, or is swapped for a newer one, in one step."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tasks.core.errors import AfterfitError
from tasks.core.output.beside import LOCK, STAGING, beside, check_beside, claim, discard, is_claimed
from tasks.core.output.exchange import (
    OLD,
    Exchange,
    check_swappable,
    delete_old,
    exchange,
    recover,
    swap,
    sync,
)
from tasks.core.output.failure import read_failure, write_failure
from tasks.core.output.folder_attempt import keep_committed, make_staging, sync_all, take_over
from tasks.core.output.manifest import MANIFEST_NAME, Manifest
from tasks.core.output.staging import Staging
from tasks.core.output.strangers import find_strangers
from tasks.core.storage.files import is_vacant, list_sizes
from tasks.core.storage.locks import release_lock, wait_for_lock

LOCK_SECONDS = 600


@dataclass(frozen=True)
class FolderOutput:
    """An output in a folder of this machine, or of a file system shared with its workers.

    While a run is at work, its lock and its staging lie beside the output. The staging,
    `.NAME.afterfit-staging/ATTEMPT/`, holds `parts/`, which becomes the output, `records/` and
    `tables/`. What lies under these names and was not made by us is left alone.

    A new attempt takes over what a dead one finished by renaming its folder. A worker of the dead
    one that wakes up later finds no folder to write to, and cannot change anything.

    `lock_seconds`: how long to wait for another run. `exchange`: the system's way to exchange two
    folders; where it returns False, they are swapped by two renames.
    """

    location: str
    lock_seconds: float = LOCK_SECONDS
    exchange: Exchange = exchange

    @contextmanager
    def locked(
        self, while_waiting: Callable[[], None] = lambda: None, /
    ) -> Iterator[tuple[str, ...]]:
        """Hold the output's lock: one run at a time writes to it, and a dead one frees it.

        Folders that were made for it go with it, where there is no output in them.

        Raises:
            RequestError: the folder above the output cannot be written to, or what lies beside the
                output is somebody else's.
            AfterfitError: another run holds the lock for longer than `lock_seconds`.
        """
        check_beside(self._output)
        made = [parent for parent in self._output.parents if not parent.exists()]
        path = beside(self._output, LOCK)
        lock = None

        try:
            lock = wait_for_lock(path, self.lock_seconds, while_waiting)
            if lock is None:
                raise AfterfitError(
                    f"Another run has been writing to {self.location} for {self.lock_seconds:g} s: "
                    "try again later."
                )
            yield recover(self._output, self._staging)
        finally:
            if lock is not None:
                release_lock(path, lock)
            for parent in made:
                with suppress(OSError):
                    parent.rmdir()

    @contextmanager
    def stage(self, _run_key: str, /) -> Iterator[Staging]:
        """Take over the staging of a dead attempt, or make a new one.

        It stays where the body fails, to be reused. The run does not matter here: parts carry the
        key of their run in their name, and those of another run are not reused.

        Raises:
            RequestError: the output could not be swapped.
        """
        attempt = self._staging / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        claim(self._staging)
        take_over(self._staging, attempt)
        staging = make_staging(attempt)

        done = False
        try:
            check_swappable(self._output, attempt)
            yield staging
            done = True
        finally:
            if done or not list_sizes(staging.records):
                self._discard()

    def commit(self, manifest: Manifest, staging: Staging) -> tuple[str, ...]:
        """Put the manifest among the parts and make their folder the output, in one step.

        A reader sees the old output whole or the new one whole. Call it under the output's lock.

        Raises:
            AfterfitError: the output cannot be swapped, or holds what is no scores by now.
        """
        parts = Path(staging.parts)
        keep_committed(parts, manifest)
        (parts / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
        sync_all(parts)

        if strangers := find_strangers(self._output):
            raise AfterfitError(
                f"{self.location} holds files that are no scores of afterfit ({strangers[0]!r}), "
                "which came while it was to be replaced: move them away and run the same command "
                "again. What is done is kept."
            )
        self._replace(parts)
        sync(self._output.parent)
        return delete_old(self._output, self._staging)

    def clean(self, _manifest: Manifest, /) -> None:
        """Delete what attempts have left: under the output's lock, all of them are dead."""
        self._discard()

    def failure(self) -> str | None:
        """Return why the last attempt did not end with a commit; None if it did, or was none."""
        return read_failure(str(self._staging)) if is_claimed(self._staging) else None

    def remember(self, failure: str) -> None:
        """Keep why an attempt failed."""
        claim(self._staging)
        write_failure(str(self._staging), failure)

    @property
    def _output(self) -> Path:
        return Path(self.location)

    @property
    def _staging(self) -> Path:
        return beside(self._output, STAGING)

    def _replace(self, parts: Path) -> None:
        """Make parts the output, in place of an older one if there is any."""
        try:
            if is_vacant(self._output):
                parts.rename(self._output)
            else:
                swap(parts, self._output, self._staging, self.exchange)
        except OSError as error:
            raise AfterfitError(
                f"{self.location} cannot be replaced: {error.strerror or error}. "
                "What is done is kept: run the same command again."
            ) from error

    def _discard(self) -> None:
        """Delete the staging, unless it holds an older output that could not be put away."""
        if not (self._staging / OLD).exists():
            discard(self._staging)
