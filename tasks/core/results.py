"""Results: what the flows return and the command line prints."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from tasks.core.backfill import WindowPlan
from tasks.core.errors import AfterfitError
from tasks.core.verdict import Gate, Verdict
from tasks.core.windows import window_name


@dataclass(frozen=True)
class Scores:
    """A committed output. `seconds` is the time from the plan to the commit; 0 where nothing had to be done.

    `rows_reused` were scored by an earlier attempt that died, or by the same run. `notes` are those of the manifest:
    what scored the rows, which categories the model did not know, which columns nobody asked for.
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
class Trained:
    """A judged and registered version; `champion` is the version in use after it, if any."""

    model: str
    version: int
    alias: str | None
    promoted: bool
    model_reused: bool
    verdict: Verdict
    champion: int | None


@dataclass(frozen=True)
class Lifecycle:
    """What one run of the lifecycle did."""

    trained: Trained
    scores: Scores | None
    flow_run_url: str


@dataclass(frozen=True)
class WindowOutcome:
    """What became of one window of a backfill: its scores, or the error, or neither where it was not due."""

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


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """Make a verdict a JSON document.

    >>> verdict_document(Verdict((), 5))
    {'passed': True, 'rows': 5, 'rows_seen_by_champion': 0, 'gates': []}
    """
    return {
        "passed": verdict.passed,
        "rows": verdict.rows,
        "rows_seen_by_champion": verdict.rows_seen_by_champion,
        "gates": [{**asdict(gate), "found": _finite(gate.found)} for gate in verdict.gates],
    }


def _finite(figure: float | None) -> float | None:
    """Leave out what JSON cannot write."""
    return figure if figure is not None and math.isfinite(figure) else None


def parse_verdict(document: dict[str, Any]) -> Verdict:
    """Read what `verdict_document` made."""
    gates = tuple(Gate(**gate) for gate in document["gates"])
    return Verdict(gates, document["rows"], document["rows_seen_by_champion"])
