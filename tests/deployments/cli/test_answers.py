"""The keys that scripts read in the JSON of each command, and the exit statuses."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.cli import answers
from deployments.servers.local import Servers
from tasks.core.evaluation.verdict import Gate, Verdict
from tasks.core.scoring.results import Backfill, Scores, WindowOutcome
from tasks.core.training.results import FailedCandidate, Lifecycle, Trained
from tasks.core.windows.backfill import WindowPlan
from tasks.core.windows.window import Window
from tasks.registry.versions import ListedModel

SERVERS = Servers("http://prefect/api", "http://prefect", "http://mlflow", True, True)
STATUS = {
    "prefect": {
        "url": "http://prefect",
        "api_url": "http://prefect/api",
        "pid": 4200,
        "running": True,
    },
    "mlflow": {"url": None, "pid": None, "running": False},
}
SCORES = Scores(3, "/scores", "run-key", 2100, 2000, 100, 500, 2, 1.5, False, ("a note",))
REUSED = Scores(3, "/scores", "run-key", 1, 1, 0, 1, 1, 0.0, True)


def a_trained(*, passed=True, alias="champion"):
    """Make up the result of a training with one gate."""
    gate = Gate("limits", passed, 40.0, "at most 60", "mae is 40, at most 60 is allowed.")
    verdict = Verdict((gate,), 100, 7)
    failed = (FailedCandidate("Lasso", "Lasso cannot be fitted: why.", 2),)
    return Trained("bike", 3, alias, True, False, verdict, 3, failed)


def a_window(day, scores=None, error=None, *, due=True):
    """Make up the outcome of a window of one day of January."""
    start = datetime(2026, 1, day, tzinfo=UTC)
    window = Window(start, start + timedelta(days=1))
    plan = WindowPlan(window, "/in", "/out", "missing", "no scores yet", due)
    return WindowOutcome(plan, scores, error)


RUN = Lifecycle(a_trained(), SCORES, "http://prefect/flow-runs/flow-run/1")
BACKFILL = Backfill("bike", 3, (a_window(1, SCORES),))
MODELS = [ListedModel("bike", 4, {"champion": 3, "challenger": 4})]

KEYS_OF_GATE = dict.fromkeys(["name", "passed", "found", "allowed", "reason"])
KEYS_OF_VERDICT = dict.fromkeys(["passed", "rows", "rows_seen_by_champion"]) | {
    "gates": [KEYS_OF_GATE]
}
KEYS_OF_TRAIN = dict.fromkeys(["model", "version", "alias", "promoted", "model_reused"]) | {
    "verdict": KEYS_OF_VERDICT,
    "failed": [dict.fromkeys(["candidate", "reason"])],
    "notes": None,
}
KEYS_OF_SCORES = dict.fromkeys(
    [
        *("version", "output", "run_key"),
        *("rows_in", "rows_scored", "rows_quarantined", "rows_reused"),
        *("parts", "seconds", "reused", "notes"),
    ]
)
KEYS_OF_RUN = {**KEYS_OF_TRAIN, "scores": KEYS_OF_SCORES, "flow_run_url": None}
KEYS_OF_WINDOW = dict.fromkeys(["window", "source", "output", "status", "why", "due", "error"])
KEYS_OF_SERVER = dict.fromkeys(["url", "pid", "running"])
REPLACED = dict.fromkeys(["model", "version", "replaced"])

# Command -> its answer as JSON, and the keys in it: of nested objects and lists of objects, too.
ANSWERS = {
    "run, demo": (lambda: answers.lifecycle(RUN, SERVERS, True), KEYS_OF_RUN),
    "run that scored nothing": (
        lambda: answers.lifecycle(Lifecycle(a_trained(), None, ""), SERVERS, True),
        {**KEYS_OF_RUN, "scores": None},
    ),
    "train, register": (lambda: answers.trained(a_trained(), SERVERS, True), KEYS_OF_TRAIN),
    "init": (lambda: answers.written(Path("/bike.yaml"), (), True), {"spec": None, "notes": None}),
    "score": (
        lambda: answers.scored("bike", SCORES, SERVERS, True),
        {"model": None, **KEYS_OF_SCORES},
    ),
    "verify": (lambda: answers.verified(["damaged"], "s", True), {"ok": None, "problems": None}),
    "backfill": (
        lambda: answers.backfilled(BACKFILL, SERVERS, True),
        {
            **dict.fromkeys(["model", "version"]),
            "windows": [{**KEYS_OF_WINDOW, "scores": KEYS_OF_SCORES}],
        },
    ),
    "backfill that scored nothing": (
        lambda: answers.backfilled(Backfill("bike", 3, (a_window(1),)), None, True),
        {
            **dict.fromkeys(["model", "version"]),
            "windows": [{**KEYS_OF_WINDOW, "scores": None}],
        },
    ),
    "promote": (lambda: answers.promoted("bike", 3, None, True), REPLACED),
    "rollback": (lambda: answers.rolled_back("bike", 2, 3, True), REPLACED),
    "models": (
        lambda: answers.listed(MODELS, True),
        {
            "models": [
                {
                    **dict.fromkeys(["name", "version"]),
                    "aliases": dict.fromkeys(["champion", "challenger"]),
                }
            ]
        },
    ),
    "up, status": (
        lambda: answers.status(STATUS, True),
        {"prefect": {**KEYS_OF_SERVER, "api_url": None}, "mlflow": KEYS_OF_SERVER},
    ),
    "down": (lambda: answers.stopped(["prefect"], True), {"stopped": None}),
    "env": (
        lambda: answers.exported({"MLFLOW_TRACKING_URI": "u"}, "export ...", True),
        {"environment": {"MLFLOW_TRACKING_URI": None}},
    ),
    "open": (lambda: answers.opened(Path("/open.html"), True), {"page": None}),
}


def keys_of(value):
    """Return the keys of an object and of all objects in it; None for any other value."""
    if isinstance(value, dict):
        return {key: keys_of(inner) for key, inner in value.items()}
    if isinstance(value, list):
        inner = [keys_of(item) for item in value]
        return None if inner == [None] * len(inner) else inner
    return None


@pytest.mark.parametrize("command", ANSWERS)
def test_the_json_of_a_command_has_exactly_these_keys(command, capsys):
    """Scripts depend on them."""
    answer, keys = ANSWERS[command]
    answer()
    (line,) = capsys.readouterr().out.splitlines()
    assert keys_of(json.loads(line)) == keys


@pytest.mark.parametrize(
    ("answer", "exit_status"),
    [
        (lambda: answers.trained(a_trained(), SERVERS, True), 0),
        (lambda: answers.trained(a_trained(passed=False, alias=None), SERVERS, True), 3),
        # A refused version that a person promoted by force is in use, and no news.
        (lambda: answers.trained(a_trained(passed=False), SERVERS, True), 0),
        (lambda: answers.verified([], "scores", True), 0),
        (lambda: answers.verified(["damaged"], "scores", True), 1),
        (lambda: answers.backfilled(BACKFILL, None, True), 0),
        (
            lambda: answers.backfilled(Backfill("bike", 3, (a_window(1, None, "no"),)), None, True),
            1,
        ),
    ],
)
def test_the_exit_status_tells_what_became_of_the_request(answer, exit_status):
    assert answer() == exit_status
