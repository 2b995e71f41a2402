"""The commit to an object store: the manifest, written last and only if it is unchanged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from tasks.core.errors import AfterfitError
from tasks.core.output.attempts import Attempts, attempt_in, name_attempt
from tasks.core.output.failure import forget_failure, read_failure, write_failure
from tasks.core.output.manifest import STAGING, Manifest, manifest_location, read_manifest
from tasks.core.output.staging import Staging
from tasks.core.storage.conditional import write_if_unchanged
from tasks.core.storage.files import read_whole
from tasks.core.storage.home import scratch_folder
from tasks.core.storage.location import join, last_name, open_filesystem


@dataclass(frozen=True)
class ObjectOutput:
    """An output below an fsspec URL: `_manifest.json`, and parts in a folder for each attempt.

    Readers follow the manifest. Those that list the URL instead, and skip names with a leading `_`,
    see no scores, never a mix.

    A new attempt copies what an earlier one of the same run finished. A worker of the earlier one
    that wakes up later writes where nobody looks.

    There is no lock: of two runs that commit at once, the second finds the manifest changed and
    fails. A commit therefore supersedes every other attempt and deletes its files; on stores
    without conditional writes, only those of attempts that have ended.

    `manifest_before`: what the manifest held when the run began.
    """

    location: str
    manifest_before: bytes | None = None

    @contextmanager
    def locked(
        self,
        _while_waiting: Callable[[], None] = lambda: None,
        /,
    ) -> Iterator[tuple[str, ...]]:
        """Hold no lock: the commit itself is conditional."""
        yield ()

    @contextmanager
    def stage(self, run_key: str) -> Iterator[Staging]:
        """Gather parts where they will stay, with records beside.

        Both stay where the body fails, to be reused. Copies of CSV files lie in a scratch folder.

        Raises:
            AfterfitError: the body failed, and another run has committed since this one began.
        """
        attempt = name_attempt(run_key)

        with scratch_folder() as tables:
            staging = self._attempts.staging(attempt, tables)
            try:
                self._attempts.take_over(run_key, staging)
                yield staging
            except BaseException as error:
                self._attempts.end(attempt)
                if isinstance(error, Exception) and self._is_overtaken(attempt):
                    raise self._overtaken() from error
                raise

    def commit(self, manifest: Manifest, staging: Staging) -> tuple[str, ...]:
        """Write the manifest, which makes its parts the output, then delete other attempts.

        What cannot be deleted now is deleted by the next run or commit.

        Raises:
            AfterfitError: another run has committed since this one began.
        """
        attempt = last_name(staging.parts)
        overtaken = self._attempts.overtaken_by(attempt, self.manifest_before)
        manifest = replace(manifest, overtaken=overtaken)
        content = manifest.to_json().encode()
        filesystem, path = open_filesystem(self._manifest_location)

        try:
            write_if_unchanged(filesystem, path, content, self.manifest_before)
        except FileExistsError as error:
            committed = self._read_commit_of(manifest.run_key)
            if committed is None:
                raise self._overtaken() from error
            if committed.folder != manifest.folder:  # another attempt of this run was faster
                self._attempts.delete(attempt)
                return ()
            # Else this attempt has committed, though the store did not get to say so.

        with suppress(Exception):
            self.clean(manifest)
        return ()

    def clean(self, manifest: Manifest) -> None:
        """Delete what the commit of this manifest has made needless."""
        for attempt in manifest.overtaken:
            self._attempts.delete(attempt)
        committed = last_name(manifest.folder)
        self._attempts.delete_records(committed)
        forget_failure(self._staging)

    def failure(self) -> str | None:
        """Return why the last attempt did not end with a commit; None if it did, or was none."""
        return read_failure(self._staging)

    def remember(self, failure: str) -> None:
        """Keep why an attempt failed."""
        write_failure(self._staging, failure)

    @property
    def _attempts(self) -> Attempts:
        return Attempts(self.location)

    @property
    def _staging(self) -> str:
        return join(self.location, STAGING)

    @property
    def _manifest_location(self) -> str:
        return manifest_location(self.location)

    def _read_commit_of(self, run_key: str) -> Manifest | None:
        """Read the manifest, if the run has committed it since this attempt began; else None."""
        now = read_manifest(self.location)
        if now is None or now.run_key != run_key:
            return None
        if read_whole(self._manifest_location) == self.manifest_before:
            return None
        return now

    def _is_overtaken(self, attempt: str) -> bool:
        """Return whether another run has committed since this one began."""
        with suppress(Exception):  # there may be no manifest, or no store any more
            now = read_whole(self._manifest_location)
            return now != self.manifest_before and attempt_in(now) != attempt
        return False

    def _overtaken(self) -> AfterfitError:
        return AfterfitError(
            f"Another run has committed to {self.location} since this one began: "
            "look at its scores, run again."
        )
