"""Results: what the flows return and the command line prints."""

from dataclasses import dataclass

from tasks.core.errors import AfterfitError
from tasks.core.windows.backfill import WindowPlan
from tasks.core.windows.window import window_name


@dataclass(frozen=True)
class Scores:
    """A committed output. `seconds` is the time from the plan to the commit; 0 where nothing had to
    be done.

    `rows_reused` were scored by an earlier attempt that died, or by the same run. `notes` are those
    of the manifest: what scored the rows, which categories the model did not know, which columns
    nobody asked for.
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


@dataclass(frozen=True)
class WindowOutcome:
    """What became of one window of a backfill: its scores, or the error, or neither where it was
    not due.
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
    """Some windows of a backfill failed; `done` tells of all of them."""

    def __init__(self, done: Backfill) -> None:
        first = done.failed[0]
        super().__init__(
            f"{len(done.failed)} of {sum(window.plan.due for window in done.windows)} windows failed, the first is "
            f"{window_name(first.plan.window)}: {first.error}"
        )
        self.done = done
