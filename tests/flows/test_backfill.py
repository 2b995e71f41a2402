"""Backfills: which windows are scored, and that one that fails does not keep the others from it."""

import threading
import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from flows.backfill import backfill_scores
from flows.interruption import check_not_interrupted
from flows.lifecycle import run_lifecycle, train_model
from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output.beside import STAGING, beside, claim
from tasks.core.output.manifest import MANIFEST_NAME, read_manifest
from tasks.core.output.reading import read_scores
from tasks.core.output.verify import verify_output
from tasks.core.scoring.results import BackfillError
from tasks.core.spec.file import load_spec
from tasks.idempotent import idempotent_task

pytestmark = pytest.mark.usefixtures("servers")
DAYS = ("2026-03-28", "2026-03-29", "2026-03-30")  # the second one has 23 hours in much of Europe
FROM_TO = ("2026-03-28", "2026-03-31")


@pytest.fixture
def windowed(tmp_path):
    """A spec whose scoring has windows of a day, and a table for each of three days."""
    chance = np.random.default_rng(5)
    a = chance.normal(size=300)
    table = pa.table({"id": [f"r{number}" for number in range(300)], "a": a, "y": a * 2})
    pq.write_table(table, tmp_path / "train.parquet")
    for rows, day in enumerate(DAYS, start=1):
        (tmp_path / "in" / day).mkdir(parents=True)
        pq.write_table(
            table.slice(0, 10 * rows).drop_columns(["y"]), tmp_path / "in" / day / "x.parquet"
        )
    spec = {
        "name": f"windowed-{tmp_path.name[-8:].strip('-_').replace('_', '-')}",
        "problem": "regression",
        "data": {"source": "train.parquet", "target": "y", "id": "id"},
        "candidates": [{"estimator": "sklearn.linear_model.Ridge"}],
        "gates": {"leaks": ["a"]},
        "scoring": {
            "source": "in/{window:%Y-%m-%d}/*.parquet",
            "output": "out/{window:%Y-%m-%d}",
            "window": "1d",
        },
    }
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    return tmp_path / "spec.yaml"


def told(done):
    """Return for each window its status before, and the rows that were scored."""
    return [
        (window.plan.status, window.scores.rows_scored if window.scores else None)
        for window in done.windows
    ]


def test_every_window_is_scored_once_and_again_only_when_the_champion_is_another(
    windowed, tmp_path
):
    spec = load_spec(windowed)
    train_model(spec)
    planned = backfill_scores(spec, *FROM_TO, dry_run=True)
    assert told(planned) == [("missing", None)] * 3
    assert not (tmp_path / "out").exists()
    assert told(backfill_scores(spec, *FROM_TO)) == [
        ("missing", 10),
        ("missing", 20),
        ("missing", 30),
    ]
    assert read_manifest(tmp_path / "out" / DAYS[1]).window == "2026-03-29T00:00Z/2026-03-30T00:00Z"
    assert [len(read_scores(tmp_path / "out" / day)) for day in DAYS] == [10, 20, 30]
    before = (tmp_path / "out" / DAYS[0] / "_manifest.json").read_bytes()
    assert told(backfill_scores(spec, *FROM_TO)) == [("current", None)] * 3
    everything = backfill_scores(spec, *FROM_TO, only="all")
    assert [window.scores.reused for window in everything.windows] == [True] * 3
    train_model(spec, retrain=True)
    assert told(backfill_scores(spec, *FROM_TO, only="missing")) == [("stale", None)] * 3
    assert (tmp_path / "out" / DAYS[0] / "_manifest.json").read_bytes() == before
    assert told(backfill_scores(spec, *FROM_TO, only="stale")) == [
        ("stale", 10),
        ("stale", 20),
        ("stale", 30),
    ]
    assert [read_manifest(tmp_path / "out" / day).version for day in DAYS] == [2, 2, 2]


def test_a_window_that_fails_is_told_with_its_reason_and_the_others_are_scored(windowed, tmp_path):
    spec = load_spec(windowed)
    train_model(spec)
    (tmp_path / "in" / DAYS[1] / "x.parquet").unlink()
    with pytest.raises(
        BackfillError, match="1 of 3 windows failed, the first is 2026-03-29T00:00Z"
    ) as failed:
        backfill_scores(spec, *FROM_TO)
    assert told(failed.value.done) == [("missing", 10), ("missing", None), ("missing", 30)]
    assert "There is nothing to read at" in failed.value.done.windows[1].error
    again = backfill_scores(spec, *FROM_TO, only="failed", dry_run=True).windows[1].plan
    assert (again.status, again.due) == ("failed", True)
    assert "There is nothing to read at" in again.why


def test_a_window_whose_scores_are_damaged_is_scored_again_when_that_is_seen(windowed, tmp_path):
    """A missing part is seen at once; a flipped bit is seen by a backfill of all."""
    spec = load_spec(windowed)
    train_model(spec)
    backfill_scores(spec, *FROM_TO)
    missing, flipped = (next((tmp_path / "out" / day).glob("part-*")) for day in DAYS[:2])
    missing.unlink()
    assert told(backfill_scores(spec, *FROM_TO)) == [
        ("failed", 10),
        ("current", None),
        ("current", None),
    ]
    flipped.write_bytes(flipped.read_bytes()[:-1] + b"?")
    everything = backfill_scores(spec, *FROM_TO, only="all")
    assert [window.scores.reused for window in everything.windows] == [True, False, True]
    assert [verify_output(tmp_path / "out" / day) for day in DAYS] == [[], [], []]


def test_scores_of_another_model_with_the_same_number_are_stale(windowed, tmp_path):
    """So it is after a registry that began anew."""
    spec = load_spec(windowed)
    train_model(spec)
    backfill_scores(spec, *FROM_TO)
    path = tmp_path / "out" / DAYS[0] / MANIFEST_NAME
    path.write_text(replace(read_manifest(path.parent), model_digest="0" * 64).to_json())
    (first, *others) = backfill_scores(spec, *FROM_TO, dry_run=True).windows
    assert (first.plan.status, "scored by another" in first.plan.why) == ("stale", True)
    assert {other.plan.status for other in others} == {"current"}


def test_an_interrupted_backfill_does_not_score_its_windows_to_the_end(windowed, monkeypatch):
    spec = load_spec(windowed)
    train_model(spec)
    began, ended = threading.Event(), []

    @idempotent_task(task_run_name="for long")
    def score_for_long(plan, spec, version, compute):
        began.set()
        deadline = time.monotonic() + 60
        try:
            while time.monotonic() < deadline:
                time.sleep(0.01)
                check_not_interrupted()
        except AfterfitError as error:
            ended.append(str(error))

    def interrupt(*_):
        assert began.wait(60)
        raise KeyboardInterrupt

    monkeypatch.setattr("flows.backfill.score_window", score_for_long)
    monkeypatch.setattr("flows.backfill.outcome_of", interrupt)
    with pytest.raises(KeyboardInterrupt):
        backfill_scores(spec, *FROM_TO)
    assert set(ended) == {"interrupted"}
    assert check_not_interrupted() is None
    monkeypatch.undo()
    assert not backfill_scores(spec, *FROM_TO).failed


def test_a_window_that_was_begun_and_not_finished_is_known_as_failed(windowed, tmp_path):
    spec = load_spec(windowed)
    train_model(spec)
    staging = beside(tmp_path / "out" / DAYS[1], STAGING)
    claim(staging)
    (staging / "1-dead" / "records").mkdir(parents=True)
    done = backfill_scores(spec, *FROM_TO, only="failed")
    assert told(done) == [("missing", None), ("failed", 20), ("missing", None)]


def test_a_run_or_a_backfill_of_a_spec_that_is_not_for_it_is_refused_with_what_to_do(
    windowed, sales
):
    with pytest.raises(RequestError, match="afterfit backfill SPEC --from DATE --to DATE"):
        run_lifecycle(load_spec(windowed))
    spec = load_spec(sales)
    train_model(spec)
    with pytest.raises(RequestError, match=r"has no windows: give scoring\.window a length"):
        backfill_scores(spec, *FROM_TO)
