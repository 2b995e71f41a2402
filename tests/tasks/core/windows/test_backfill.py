from datetime import UTC, datetime, timedelta

import pytest

from tasks.core.windows.backfill import (
    COLUMNS,
    WindowPlan,
    choose,
    make_document,
    make_row,
    status_of,
)
from tasks.core.windows.window import Window

START = datetime(2026, 1, 31, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))


def make_plan(status):
    return WindowPlan(DAY, "/in/2026-01-31", "/out/2026-01-31", status, "as it is")


@pytest.mark.parametrize(
    ("version", "failure", "status", "why"),
    [
        (None, None, "missing", "no scores yet"),
        (None, "too hot", "failed", "too hot"),
        (3, None, "stale", "scored by version 3, the champion is version 5"),
        (3, "too hot", "stale", "scored by version 3, the champion is version 5"),
        (6, None, "stale", "scored by version 6, the champion is version 5"),
        (5, None, "current", "scored by version 5"),
        (5, "too hot", "current", "scored by version 5"),
    ],
)
def test_what_is_committed_says_more_than_what_failed_later(version, failure, status, why):
    assert status_of(version, failure, champion=5) == (status, why)


@pytest.mark.parametrize(
    ("only", "due"),
    [
        (None, ["missing", "failed", "stale"]),
        ("missing", ["missing"]),
        ("failed", ["failed"]),
        ("stale", ["stale"]),
        ("all", ["missing", "failed", "stale", "current"]),
    ],
)
def test_only_says_which_windows_are_due(only, due):
    statuses = ["missing", "failed", "stale", "current"]
    plans = [make_plan(status) for status in statuses]
    chosen = choose(plans, only)
    chosen_as_due = [plan.status for plan in chosen if plan.due]

    assert [plan.status for plan in chosen] == statuses
    assert chosen_as_due == due
    assert not any(plan.due for plan in plans)


def test_a_plan_is_shown_under_the_same_names_in_json_and_in_a_table():
    plan = choose([make_plan("stale")])[0]
    document = make_document(plan)

    assert document == {
        "window": "2026-01-31T00:00Z/2026-02-01T00:00Z",
        "source": "/in/2026-01-31",
        "output": "/out/2026-01-31",
        "status": "stale",
        "why": "as it is",
        "due": True,
    }
    assert tuple(document) == COLUMNS

    *cells, _ = document.values()
    assert make_row(plan) == (*cells, "yes")
    assert make_row(make_plan("current"))[-1] == "no"
