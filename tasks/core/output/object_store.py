"""The commit to an object store: the manifest, written last and only if nobody else wrote it
meanwhile.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from tasks.core.errors import AfterfitError
from tasks.core.output.failure import FAILURE, read_failure
from tasks.core.output.manifest import (
    MANIFEST_NAME,
    QUARANTINE,
    RUN_KEY_SHOWN,
    RUNS,
    STAGING,
    Manifest,
    read_manifest,
)
from tasks.core.output.staging import Staging
from tasks.core.storage.conditional import is_conditional, write_if_unchanged
from tasks.core.storage.files import copy_all, delete, list_sizes, read_whole, write_whole
from tasks.core.storage.home import scratch_folder
from tasks.core.storage.location import join, open_filesystem

# among the records of an attempt: it will write no more, but for a worker that has not heard of it
ENDED = "ended"


@dataclass(frozen=True)
class ObjectOutput:
    """An output below an fsspec URL: `_manifest.json`, and the parts in `_runs/ATTEMPT/`, a folder
    for each attempt.

    Readers follow the manifest; those that list the URL and skip names with a leading `_` see
    nothing, never a mix. A new attempt copies what an earlier one of the same run finished: a
    worker of that one that wakes up later writes where nobody looks. There is no lock: of two runs
    that commit at once, the second finds the manifest changed and fails. So a commit overtakes all
    attempts that it finds there, dead or alive, and deletes what they have written (on stores that
    cannot compare the manifest themselves, only that of those which have ended).
    """

    location: str
    manifest_before: bytes | None = None  # what the manifest held when the run began

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold nothing: the commit itself is conditional."""
        yield

    @contextmanager
    def stage(self, run_key: str, /) -> Iterator[Staging]:
        """Gather parts where they stay, with records beside; both stay where the body fails, to be
        reused. Copies of CSV files lie in a scratch folder.

        Raises:
            AfterfitError: the body failed, and another run has committed since this one began.
        """
        attempt = f"{run_key[:RUN_KEY_SHOWN]}-{uuid.uuid4().hex[:RUN_KEY_SHOWN]}"
        with scratch_folder() as tables:
            staging = Staging(
                self._parts(attempt), self._records(attempt), str(tables), f"{RUNS}/{attempt}"
            )
            try:
                self._take_over(run_key, staging)
                yield staging
            except BaseException as error:
                self._end(attempt)
                if isinstance(error, Exception) and self._is_overtaken(attempt):
                    raise self._overtaken() from error
                raise

    def failure(self) -> str | None:
        """Tell why the last attempt did not end with a commit; nothing if there was none, or it
        did.
        """
        return read_failure(join(self.location, STAGING))

    def remember(self, failure: str) -> None:
        """Keep why an attempt failed."""
        write_whole(join(self.location, STAGING, FAILURE), failure.encode())

    def clean(self, manifest: Manifest) -> None:
        """Delete what the commit of this manifest has made needless."""
        for attempt in manifest.overtaken:
            self._delete(attempt)
        delete(self._records(_last_name(manifest.folder)))
        delete(join(self.location, STAGING, FAILURE))

    def commit(self, manifest: Manifest, staging: Staging) -> None:
        """Write the manifest, which makes its parts the output, then delete what other attempts
        have left.

        What cannot be deleted now is when the same run is asked for again, or with the next commit.

        Raises:
            AfterfitError: another run has committed since this one began.
        """
        attempt = _last_name(staging.parts)
        manifest = replace(manifest, overtaken=self._overtaken_by(attempt))
        filesystem, path = open_filesystem(join(self.location, MANIFEST_NAME))
        try:
            write_if_unchanged(filesystem, path, manifest.to_json().encode(), self.manifest_before)
        except FileExistsError as error:
            now = read_manifest(self.location)
            if (
                now is None
                or now.run_key != manifest.run_key
                or read_whole(join(self.location, MANIFEST_NAME)) == self.manifest_before
            ):
                raise self._overtaken() from error
            if (
                now.folder != manifest.folder
            ):  # else it was this one, though the store did not get to say so
                self._delete(attempt)
                return
        with suppress(Exception):
            self.clean(manifest)

    def _take_over(self, run_key: str, staging: Staging) -> None:
        """Copy what earlier attempts of the same run finished, and delete the attempts that have
        told their end.
        """
        committed = self._committed()
        for attempt in sorted(list_sizes(join(self.location, STAGING)).keys() - {FAILURE}):
            parts, records = self._parts(attempt), self._records(attempt)
            found = list_sizes(records).keys()
            if attempt.startswith(run_key[:RUN_KEY_SHOWN]):
                new = {
                    record.removesuffix(".json")
                    for record in found - list_sizes(staging.records).keys()
                }
                copy_all(parts, staging.parts, list_sizes(parts).keys() & new)
                apart = join(parts, QUARANTINE), join(staging.parts, QUARANTINE)
                copy_all(*apart, list_sizes(apart[0]).keys() & new)
                copy_all(records, staging.records, [f"{name}.json" for name in new - {ENDED}])
            if ENDED in found and attempt != committed:
                self._delete(attempt)

    def _end(self, attempt: str) -> None:
        """Tell that an attempt has ended, and so may be deleted; one without a part is so at
        once.
        """
        with suppress(Exception):  # whatever made it fail may be in the way of this too
            if self._committed() == attempt:  # it failed after its commit
                return
            if list_sizes(self._records(attempt)):
                write_whole(join(self._records(attempt), ENDED), b"")
            else:
                self._delete(attempt)

    def _committed(self) -> str:
        """Name the attempt whose parts are the output; nothing if there is no output.

        Raises:
            Exception: the manifest cannot be read.
        """
        try:
            return _attempt_in(read_whole(join(self.location, MANIFEST_NAME)))
        except FileNotFoundError:
            return ""

    def _overtaken_by(self, attempt: str) -> tuple[str, ...]:
        """List the attempts that can commit no more once this one has.

        Those are all that have written something by now, for each of them read the manifest before
        it wrote anything. Where the store does not compare manifests itself, one that is alive may
        overwrite that of this attempt.
        """
        found = (
            list_sizes(join(self.location, RUNS)).keys()
            | list_sizes(join(self.location, STAGING)).keys()
        )
        others = found - {FAILURE, attempt}
        if not is_conditional(open_filesystem(self.location)[0]):
            before = _attempt_in(self.manifest_before or b"")
            others = {
                other
                for other in others
                if other == before or ENDED in list_sizes(self._records(other))
            }
        return tuple(sorted(others))

    def _is_overtaken(self, attempt: str) -> bool:
        """Tell whether another run has committed since this one began."""
        with suppress(Exception):  # there may be no manifest, or no store any more
            now = read_whole(join(self.location, MANIFEST_NAME))
            return now != self.manifest_before and _attempt_in(now) != attempt
        return False

    def _overtaken(self) -> AfterfitError:
        return AfterfitError(
            f"Another run has committed to {self.location} since this one began: look at its scores, run again."
        )

    def _delete(self, attempt: str) -> None:
        delete(self._records(attempt))
        delete(self._parts(attempt))

    def _parts(self, attempt: str) -> str:
        return join(self.location, RUNS, attempt)

    def _records(self, attempt: str) -> str:
        return join(self.location, STAGING, attempt)


def _last_name(location: str) -> str:
    return location.rpartition("/")[2]


def _attempt_in(manifest: bytes) -> str:
    """Read the attempt that a manifest names, whatever else is wrong with it."""
    try:
        return _last_name(str(json.loads(manifest or b"{}").get("folder", "")))
    except (ValueError, AttributeError):
        return ""
