"""Progress: how many rows are scored by now."""

import logging
import time
from uuid import UUID

from prefect.artifacts import (
    create_progress_artifact,
    update_progress_artifact,
)

from tasks.core.output.staging import Staging, rows_written
from tasks.core.scoring.plan import Planned
from tasks.publish import artifact_key

PROGRESS = logging.getLogger("afterfit.progress")
SECONDS_BETWEEN = 1.0


class Progress:
    """Tells how many rows are scored: to the Prefect UI once a second, to log handlers each
    time.
    """

    def __init__(self, planned: Planned, staging: Staging) -> None:
        """Show what an earlier attempt has done as done."""
        self.rows, self.model, self.staging = planned.plan.rows, planned.run.model.name, staging
        names = planned.plan.part_names(planned.run)
        self.parts = {
            name: piece.rows for name, piece in zip(names, planned.plan.pieces, strict=True)
        }
        self.done = self.rows - sum(piece.rows for piece in planned.unfinished)
        self.seen, self.told = self.done, time.monotonic()
        self.artifact = self._create()
        self._log()

    def _create(self) -> UUID:
        description = f"Rows of {self.model} scored"
        artifact = create_progress_artifact(
            0.0, key=artifact_key("progress", self.model), description=description
        )
        assert isinstance(artifact, UUID)  # noqa: S101 - sync_compatible's type says it may be a coroutine
        return artifact

    def advance(self, rows: int) -> None:
        """Count rows as scored."""
        self.done += rows
        self._tell(max(self.done, self.seen))

    def look(self) -> None:
        """Count the rows of the parts that workers have written by now."""
        self._tell(max(self.done, self.seen, rows_written(self.staging, self.parts)))

    def _tell(self, rows: int) -> None:
        self.seen = rows
        self._log()
        if rows == self.rows or time.monotonic() - self.told >= SECONDS_BETWEEN:
            self.told = time.monotonic()
            update_progress_artifact(self.artifact, 100.0 * rows / self.rows)

    def _log(self) -> None:
        PROGRESS.info(
            "%s of %s rows",
            self.seen,
            self.rows,
            extra={"rows_done": self.seen, "rows_total": self.rows},
        )
