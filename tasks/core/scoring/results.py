"""Results: what the scoring flows return and the command line prints."""

from dataclasses import dataclass

from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import Manifest
from tasks.core.windows.backfill import WindowPlan
from tasks.core.windows.window import window_name


@dataclass(frozen=True)
class Scores:
    """A committed output.

    `seconds` is the time from the plan to the commit; 0 where nothing had to be done. `rows_reused`
    were scored by an earlier attempt that died, or by the same run. `notes` are those of the
    manifest (what scored the rows, which categories the model did not know, which columns nobody
    asked for) and advice for the next run.
    """

    version: int
    output: str
    run_key: str
    rows_in: int
    rows_scored: int
    rows_quarantined: int
    rows_reused: int
    parts: int
    seconds: float
    reused: bool
    notes: tuple[str, ...] = ()


def summarize(
    manifest: Manifest,
    output: str,
    *,
    rows_reused: int = 0,
    seconds: float = 0.0,
    reused: bool = False,
) -> Scores:
    """Return what a manifest says of an output; where it is `reused`, all rows are."""
    return Scores(
        version=manifest.version,
        output=output,
        run_key=manifest.run_key,
        rows_in=manifest.rows_in,
        rows_scored=manifest.rows_scored,
        rows_quarantined=manifest.rows_quarantined,
        rows_reused=manifest.rows_scored if reused else rows_reused,
        parts=len(manifest.parts),
        seconds=round(seconds, 3),
        reused=reused,
        notes=manifest.notes,
    )


@dataclass(frozen=True)
class WindowOutcome:
    """What became of one window of a backfill.

    It has scores, or an error, or neither where it was not due.
    """

    plan: WindowPlan
    scores: Scores | None = None
    error: str | None = None


@dataclass(frozen=True)
class Backfill:
    """A backfill with one version of a model, window by window."""

    model: str
    version: int
    windows: tuple[WindowOutcome, ...]

    @property
    def failed(self) -> tuple[WindowOutcome, ...]:
        """The windows that could not be scored."""
        return tuple(window for window in self.windows if window.error)


class BackfillError(AfterfitError):
    """Some windows of a backfill failed; `done` is all of it."""

    def __init__(self, done: Backfill) -> None:
        first = done.failed[0]
        due = [window for window in done.windows if window.plan.due]
        super().__init__(
            f"{len(done.failed)} of {len(due)} windows failed, the first is "
            f"{window_name(first.plan.window)}: {first.error}"
        )
        self.done = done
