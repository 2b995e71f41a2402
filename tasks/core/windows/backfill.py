"""A backfill: what is known of the scores of each window, and which windows are due."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from tasks.core.windows.window import Window, window_name

Status = Literal["missing", "failed", "stale", "current"]
Only = Literal["missing", "failed", "stale", "all"]
COLUMNS = ("window", "source", "output", "status", "why", "due")
DUE: dict[Only | None, frozenset[Status]] = {
    None: frozenset({"missing", "failed", "stale"}),
    "missing": frozenset({"missing"}),
    "failed": frozenset({"failed"}),
    "stale": frozenset({"stale"}),
    "all": frozenset({"missing", "failed", "stale", "current"}),
}


@dataclass(frozen=True)
class WindowPlan:
    """A window, where its rows are and its scores go, and whether it is due."""

    window: Window
    source: str
    output: str
    status: Status
    why: str
    due: bool = False


def status_of(
    manifest_version: int | None, failure: str | None, champion: int
) -> tuple[Status, str]:
    """Return what is known of the scores of a window, and why it is so.

    `manifest_version`: the version that made the committed scores, if there are any. `failure`: why
    the last attempt did not end with a commit, if it did not.

    >>> status_of(3, None, champion=5)
    ('stale', 'scored by version 3, the champion is version 5')
    """
    if manifest_version is None:
        return ("failed", failure) if failure else ("missing", "no scores yet")

    if manifest_version != champion:
        return "stale", f"scored by version {manifest_version}, the champion is version {champion}"
    return "current", f"scored by version {champion}"


def choose(plans: Iterable[WindowPlan], only: Only | None = None) -> tuple[WindowPlan, ...]:
    """Mark the windows that are due: all but the current ones, unless `only` says which.

    >>> from datetime import UTC, datetime
    >>> day = Window(datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    >>> plans = [WindowPlan(day, "/in", "/out", *status_of(5, None, champion=5))]
    >>> choose(plans)[0].due, choose(plans, "all")[0].due
    (False, True)
    """
    due = DUE[only]
    return tuple(replace(plan, due=plan.status in due) for plan in plans)


def make_document(plan: WindowPlan) -> dict[str, str | bool]:
    """Return a plan as a JSON document, with the keys of `COLUMNS`."""
    return {
        "window": window_name(plan.window),
        "source": plan.source,
        "output": plan.output,
        "status": plan.status,
        "why": plan.why,
        "due": plan.due,
    }


def make_row(plan: WindowPlan) -> tuple[str, ...]:
    """Return a plan as a row of a table under `COLUMNS`."""
    document = make_document(plan)
    document["due"] = "yes" if plan.due else "no"
    return tuple(str(document[column]) for column in COLUMNS)
