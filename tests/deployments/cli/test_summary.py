"""The summaries that a person reads, word by word."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.cli import answers, summary
from deployments.servers.local import Servers
from tasks.core.evaluation.verdict import Gate, Verdict
from tasks.core.scoring.results import Backfill, Scores, WindowOutcome
from tasks.core.training.results import FailedCandidate, Lifecycle, Trained
from tasks.core.windows.backfill import WindowPlan
from tasks.core.windows.window import Window
from tasks.registry.versions import ListedModel

SERVERS = Servers("http://prefect/api", "http://prefect", "http://mlflow", True, True)
LINKS = ["Prefect  http://prefect", "MLflow   http://mlflow"]
PASSED = Gate("limits", True, 40.0, "at most 60", "mae is 40.")
REFUSED = Gate("champion", False, 0.2, "at most 0.01", "the loss may rise by 0.2.")
TRAINED = Trained("bike", 4, "champion", True, False, Verdict((PASSED,), 100), 4)
SCORES = Scores(3, "/scores", "run-key", 2000, 2000, 0, 0, 2, 2.0, False)
SCORED = "bike version 3 scored 2,000 rows into /scores"
UNCHANGED = "(reused: spec and data are unchanged; --retrain trains anew)"
DAY = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
PLAN = WindowPlan(DAY, "/in", "/out", "missing", "no scores yet", due=True)
NAME = "2026-01-01T00:00Z/2026-01-02T00:00Z"


def text_of(capsys, answer, *arguments):
    """Return what a command prints for a person, line by line."""
    answer(*arguments, as_json=False)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {},
            [
                "bike version 4 passed its gates, the champion is version 4",
                "  passed   mae is 40.",
            ],
        ),
        (
            {"verdict": Verdict((PASSED, REFUSED), 100), "champion": None},
            [
                "bike version 4 was REFUSED by its gates, there is no champion",
                "  passed   mae is 40.",
                "  refused  the loss may rise by 0.2.",
            ],
        ),
        (
            {"failed": (FailedCandidate("Lasso", "Lasso cannot be fitted: why.", 2),)},
            [
                "bike version 4 passed its gates, the champion is version 4",
                "  passed   mae is 40.",
                "  failed   Lasso cannot be fitted: why.",
            ],
        ),
        (
            {"model_reused": True, "verdict": Verdict((), 100)},
            [f"bike version 4 passed its gates, the champion is version 4 {UNCHANGED}"],
        ),
        (
            {"verdict": Verdict((), 100), "notes": ("column 'rate' is text",)},
            [
                "bike version 4 passed its gates, the champion is version 4",
                "  column 'rate' is text",
            ],
        ),
    ],
)
def test_a_training_is_told_gate_by_gate(changes, lines):
    done = replace(TRAINED, **changes)
    assert summary.trained_lines(done) == lines


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, [f"{SCORED} (2.0 s, 1,000 rows/s)"]),
        (
            {"reused": True, "rows_reused": 2000},
            [f"{SCORED} (reused: the same model, source and options)"],
        ),
        (
            {"rows_reused": 2000},
            [
                f"{SCORED} (2.0 s)",
                "  of which 2,000 rows by an earlier attempt that did not commit",
            ],
        ),
        (
            {"rows_quarantined": 1, "notes": ("a note",)},
            [
                f"{SCORED} (2.0 s, 1,000 rows/s)",
                "  and put 1 row into its _quarantine, which tells why",
                "  a note",
            ],
        ),
    ],
)
def test_a_scoring_run_is_told_with_its_speed_and_notes(changes, lines):
    scores = replace(SCORES, **changes)
    assert summary.score_lines("bike", scores) == lines


def test_a_lifecycle_ends_with_the_page_of_its_flow_run(capsys):
    done = Lifecycle(TRAINED, None, "http://prefect/run/1")
    assert text_of(capsys, answers.lifecycle, done, SERVERS)[2:] == [
        "Nothing was scored: no champion.",
        "Prefect  http://prefect/run/1",
        "MLflow   http://mlflow",
    ]


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (WindowOutcome(PLAN), "missing  no scores yet  due"),
        (WindowOutcome(replace(PLAN, due=False)), "missing  no scores yet  -"),
        (WindowOutcome(PLAN, SCORES), "missing  no scores yet  rows scored: 2,000"),
        (WindowOutcome(PLAN, replace(SCORES, reused=True)), "missing  no scores yet  reused"),
        (WindowOutcome(PLAN, None, "no file"), "missing  no scores yet  FAILED: no file"),
        (WindowOutcome(replace(PLAN, status="stale", why="old")), "stale    old  due"),
    ],
)
def test_a_window_is_told_in_one_line(outcome, line):
    done = Backfill("bike", 3, (outcome,))
    first, _ = summary.backfill_lines(done)
    assert first == f"{NAME}  {line}"


def test_a_backfill_counts_its_windows(capsys):
    """Without servers, which a failed backfill does not know, there are no links."""
    scored = WindowOutcome(PLAN, SCORES)
    failed = WindowOutcome(PLAN, None, "no file")
    done = Backfill("bike", 3, (scored, failed))
    last = "bike version 3: windows: 2, due: 2, scored: 1, failed: 1"

    without_links = text_of(capsys, answers.backfilled, done, None)
    assert without_links[2:] == [last]
    with_links = text_of(capsys, answers.backfilled, done, SERVERS)
    assert with_links[2:] == [last, *LINKS]


@pytest.mark.parametrize(
    ("answer", "arguments", "lines"),
    [
        (
            answers.scored,
            ("bike@best", SCORES, SERVERS),
            [f"{SCORED} (2.0 s, 1,000 rows/s)", *LINKS],
        ),
        (answers.verified, ([], "out"), ["out: all is as its manifest says."]),
        (answers.verified, (["damaged"], "out"), ["out:", "  damaged"]),
        (
            answers.written,
            (Path("/a/bike.yaml"), ["column '' counts the rows"]),
            [
                "Wrote /a/bike.yaml. Look it over, then: afterfit run bike.yaml",
                "  column '' counts the rows",
            ],
        ),
        (answers.promoted, ("bike", 3, None), ["bike: the champion is version 3."]),
        (answers.promoted, ("bike", 3, 2), ["bike: the champion is version 3, before it was 2."]),
        (
            answers.rolled_back,
            ("bike", 2, 3),
            ["bike: the champion is version 2 again, instead of 3."],
        ),
        (answers.listed, ([],), ["No model is registered yet: try `afterfit demo`."]),
        (
            answers.listed,
            ([ListedModel("a", 2, {"champion": 1, "best": 2}), ListedModel("b", 1, {})],),
            [
                "a: champion is version 1, best is version 2; the newest is version 2",
                "b: no alias; the newest is version 1",
            ],
        ),
        (answers.stopped, ([],), ["Stopped: nothing was running."]),
        (answers.stopped, (["prefect", "mlflow"],), ["Stopped: prefect, mlflow."]),
        (answers.exported, ({"A": "1"}, "export A=1"), ["export A=1"]),
    ],
)
def test_every_other_answer_is_a_line_or_two(answer, arguments, lines, capsys):
    assert text_of(capsys, answer, *arguments) == lines


@pytest.mark.parametrize(
    ("pid", "running", "state"),
    [(7, True, "running (pid 7)"), (None, True, "running"), (None, False, "not running")],
)
def test_the_state_of_a_server_is_told_with_its_pid(pid, running, state, capsys):
    server = {"url": "http://prefect", "api_url": None, "pid": pid, "running": running}
    never = {"url": None, "pid": None, "running": False}
    assert text_of(capsys, answers.status, {"prefect": server, "mlflow": never}) == [
        f"Prefect  http://prefect  {state}",
        "MLflow   never started  not running",
    ]
