"""Attempts: what each attempt at an output leaves on an object store, and what becomes of it."""

import json
import re
import uuid
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tasks.core.output.manifest import QUARANTINE, RUN_KEY_SHOWN, RUNS, STAGING, manifest_location
from tasks.core.output.staging import Staging
from tasks.core.output.strangers import is_part
from tasks.core.storage.conditional import is_conditional
from tasks.core.storage.files import copy_all, delete_named, list_sizes, read_whole, write_whole
from tasks.core.storage.location import join, last_name, open_filesystem

# A file among the records of an attempt that has ended: it will write no more, apart from a worker
# that has not heard of it.
ENDED = "ended"
ATTEMPT = re.compile(rf"[0-9a-z]{{{RUN_KEY_SHOWN}}}-[0-9a-f]{{{RUN_KEY_SHOWN}}}")

Copy = Callable[[str, str, Collection[str]], None]


def name_attempt(run_key: str) -> str:
    """Make a new name for an attempt of a run."""
    unique = uuid.uuid4().hex
    return f"{run_key[:RUN_KEY_SHOWN]}-{unique[:RUN_KEY_SHOWN]}"


def is_attempt(name: str) -> bool:
    """Return whether a name is that of an attempt, and nobody else's.

    >>> is_attempt("01234567-89abcdef"), is_attempt("my-models"), is_attempt("..")
    (True, False, False)
    """
    return ATTEMPT.fullmatch(name) is not None


def attempt_in(manifest: bytes) -> str:
    """Read the attempt that a manifest names, whatever else is wrong with it.

    >>> attempt_in(b'{"folder": "_runs/01234567-89abcdef"}'), attempt_in(b"damaged")
    ('01234567-89abcdef', '')
    """
    try:
        document = json.loads(manifest or b"{}")
        return last_name(str(document.get("folder", "")))
    except (ValueError, AttributeError):
        return ""


@dataclass(frozen=True)
class Attempts:
    """The attempts below the URL of an output.

    Each has its parts in `_runs/ATTEMPT/`, and in `_staging/ATTEMPT/` the record of each part.
    """

    location: str

    def staging(self, attempt: str, tables: Path) -> Staging:
        """Return where an attempt writes."""
        return Staging(
            parts=self._parts(attempt),
            records=self._records(attempt),
            tables=str(tables),
            folder=join(RUNS, attempt),
        )

    def committed(self) -> str:
        """Return the attempt whose parts are the output, or an empty string if there is no output.

        Raises:
            Exception: the manifest cannot be read.
        """
        try:
            manifest = read_whole(manifest_location(self.location))
        except FileNotFoundError:
            return ""
        return attempt_in(manifest)

    def take_over(self, run_key: str, staging: Staging, copy: Copy = copy_all) -> None:
        """Copy what earlier attempts of the same run finished, and delete ended attempts."""
        committed = self.committed()
        same_run = run_key[:RUN_KEY_SHOWN]

        for attempt in sorted(self._recorded()):
            records = list_sizes(self._records(attempt)).keys()
            if attempt.startswith(same_run):
                self._copy_finished(attempt, records - {ENDED}, staging, copy)
            if ENDED in records and attempt != committed:
                self.delete(attempt)

    def end(self, attempt: str) -> None:
        """Mark that an attempt has ended, so that others may delete it.

        One without a part is deleted at once, and one that failed after its commit is left alone.
        """
        records = self._records(attempt)
        with suppress(Exception):  # whatever made it fail may be in the way of this too
            if self.committed() == attempt:
                return
            if list_sizes(records):
                write_whole(join(records, ENDED), b"")
            else:
                self.delete(attempt)

    def overtaken_by(self, attempt: str, before: bytes | None) -> tuple[str, ...]:
        """List the attempts that cannot commit any more once this one has.

        These are all that have written something by now, because each of them read the manifest
        before it wrote anything. Where the store does not compare manifests itself, an attempt that
        is alive may overwrite this one's: then only ended attempts count, and that of the manifest
        `before`.
        """
        with_parts = filter(is_attempt, list_sizes(join(self.location, RUNS)))
        others = sorted({*with_parts, *self._recorded()} - {attempt})

        filesystem, _ = open_filesystem(self.location)
        if is_conditional(filesystem):
            return tuple(others)

        replaced = attempt_in(before or b"")
        return tuple(other for other in others if other == replaced or self._has_ended(other))

    def delete(self, attempt: str) -> None:
        """Delete all that an attempt has written, and nothing that others have put beside it."""
        self.delete_records(attempt)
        if is_attempt(attempt):
            delete_named(self._parts(attempt), _is_part)

    def delete_records(self, attempt: str) -> None:
        """Delete the records of an attempt, and leave its parts."""
        if is_attempt(attempt):  # a manifest that names something else is not ours to follow
            delete_named(self._records(attempt), _is_record)

    def _copy_finished(
        self, attempt: str, records: AbstractSet[str], staging: Staging, copy: Copy
    ) -> None:
        """Copy the finished parts that the staging does not have yet.

        Their records are copied last: a record says that its part is whole.
        """
        known = list_sizes(staging.records).keys()
        new = records - known
        names = {record.removesuffix(".json") for record in new}

        parts = self._parts(attempt)
        scored = list_sizes(parts).keys() & names
        copy(parts, staging.parts, scored)

        quarantine = join(parts, QUARANTINE)
        quarantined = list_sizes(quarantine).keys() & names
        copy(quarantine, join(staging.parts, QUARANTINE), quarantined)

        copy(self._records(attempt), staging.records, new)

    def _recorded(self) -> AbstractSet[str]:
        """Return the names of the attempts that have records."""
        found = list_sizes(join(self.location, STAGING))
        return set(filter(is_attempt, found))

    def _has_ended(self, attempt: str) -> bool:
        return ENDED in list_sizes(self._records(attempt))

    def _parts(self, attempt: str) -> str:
        return join(self.location, RUNS, attempt)

    def _records(self, attempt: str) -> str:
        return join(self.location, STAGING, attempt)


def _is_part(name: str) -> bool:
    return is_part(name.removeprefix(f"{QUARANTINE}/"))


def _is_record(name: str) -> bool:
    return name == ENDED or is_part(name.removesuffix(".json"))
