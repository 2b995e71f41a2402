"""Progress: how many rows are scored by now."""

import logging
import time
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from tasks.core.output.staging import Staging, rows_written
from tasks.core.scoring.plan import Planned
from tasks.publish import artifact_key

PROGRESS = logging.getLogger("afterfit.progress")
SECONDS_BETWEEN = 1.0


class Progress:
    """Reports how many rows are scored.

    Log handlers hear it each time, the Prefect UI once a second.
    """

    def __init__(self, planned: Planned, staging: Staging) -> None:
        """Report what an earlier attempt has scored as done."""
        run = planned.run
        plan = planned.plan
        names = plan.part_names(run.destination.run_key)
        rows = [piece.rows for piece in plan.pieces]

        self._staging = staging
        self._rows_of_part = dict(zip(names, rows, strict=True))
        self._total = plan.rows
        self._done = plan.rows - sum(piece.rows for piece in planned.unfinished)
        self._reported = self._done
        self._artifact = _create_artifact(run.options.model.name)
        self._updated = time.monotonic()
        self._log()

    def advance(self, rows: int) -> None:
        """Count rows as scored."""
        self._done += rows
        self._report(max(self._done, self._reported))

    def refresh(self) -> None:
        """Count the rows of the parts that workers have written by now."""
        written = rows_written(self._staging, self._rows_of_part)
        self._report(max(self._done, self._reported, written))

    def _report(self, rows: int) -> None:
        self._reported = rows
        self._log()

        is_due = time.monotonic() - self._updated >= SECONDS_BETWEEN
        if is_due or rows == self._total:
            self._updated = time.monotonic()
            update_progress_artifact(self._artifact, 100.0 * rows / self._total)

    def _log(self) -> None:
        counts = {"rows_done": self._reported, "rows_total": self._total}
        PROGRESS.info("%s of %s rows", self._reported, self._total, extra=counts)


def _create_artifact(model: str) -> UUID:
    artifact = create_progress_artifact(
        0.0, key=artifact_key("progress", model), description=f"Rows of {model} scored"
    )
    return cast("UUID", artifact)  # its type says that it may be a coroutine, too
