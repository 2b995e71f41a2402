"""Batch scoring while others write to the same output, read it, or move and delete the model."""

import contextvars
import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import numpy as np
import pyarrow.parquet as pq
import pytest

from flows import scoring
from flows.lifecycle import train_model
from flows.scoring import score_batch
from tasks.core.errors import RequestError
from tasks.core.output.reading import read_scores
from tasks.core.spec.file import load_spec
from tasks.core.tables import pieces
from tasks.core.tables.pieces import Bundle
from tasks.registry.client import connect

OTHER = 100_000_000  # where the ids of a second source begin


class Readers:
    """Two readers that loop while a body works.

    One reads through `read_scores`, one lists the folder itself.
    """

    def __init__(self, output):
        self.output, self.stop = output, threading.Event()
        self.seen, self.listed, self.troubles = [], [], []
        self.threads = [
            threading.Thread(target=self._loop, args=(look,)) for look in (self._read, self._list)
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _loop(self, look):
        while not self.stop.is_set():
            try:
                look()
            except Exception as error:  # noqa: BLE001 - whatever a reader is told, the test has to know
                self.troubles.append(error)
            time.sleep(0.02)

    def _read(self):
        ids = read_scores(self.output)["id"].to_numpy()
        self.seen.append((int(ids[0]), int(ids[-1]), len(ids), len(np.unique(ids))))

    def _list(self):
        self.listed.append({path.name[:13] for path in self.output.glob("part-*")})

    def assert_saw_only(self, *ids):
        """Hold that they saw one of these whole outputs each time.

        They never saw parts of two runs at once.
        """
        assert self.troubles == []
        assert set(self.seen) <= {(int(one[0]), int(one[-1]), len(one), len(one)) for one in ids}
        assert max(map(len, self.listed)) == 1
        assert self.seen


@pytest.fixture
def two(rows, tmp_path):
    """Two small sources without an id in common."""
    paths = tmp_path / "one.parquet", tmp_path / "two.parquet"
    for path, first_id in zip(paths, (0, OTHER), strict=True):
        pq.write_table(rows(300, first_id), path)
    return paths


@pytest.fixture
def small_pieces(monkeypatch):
    """Let a piece hold 100 rows, so that a small source has several parts and bundles."""
    monkeypatch.setattr(pieces, "PIECE_ROWS", 100)


@pytest.fixture
def one_bundle(small_pieces, monkeypatch):
    """Let all parts be written right here, and nothing be reported: a round takes seconds.

    Where two runs write artifacts and states at once, SQLite keeps the Prefect server for a minute
    now and then.
    """
    monkeypatch.setattr(
        "flows.bundles.bundle_pieces", lambda found, _: (Bundle(0, tuple(found)),) if found else ()
    )
    monkeypatch.setattr(scoring, "publish_scores", lambda *_: None)
    monkeypatch.setattr("tasks.progress.create_progress_artifact", lambda *_, **__: uuid4())
    monkeypatch.setattr("tasks.progress.update_progress_artifact", lambda *_: None)


def _at_once(*runs):
    """Start runs at the same moment; return the result of each, or the error it ends with."""
    barrier = threading.Barrier(len(runs))

    def attempt(arguments, options):
        barrier.wait()
        try:
            return score_batch(*arguments, **options)
        except RequestError as error:
            return error

    with ThreadPoolExecutor(len(runs)) as pool:
        started = [pool.submit(contextvars.copy_context().run, attempt, *run) for run in runs]
        return [run.result() for run in started]


@pytest.mark.parametrize("rounds", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_runs_onto_one_output_come_one_after_the_other_and_readers_see_one_of_them(
    champion, two, tmp_path, laws, one_bundle, rounds
):
    """Each replaces the other whole; a reader meanwhile sees neither a mix nor nothing."""
    output, ids = tmp_path / "out", [np.arange(300), np.arange(OTHER, OTHER + 300)]
    score_batch(champion, str(two[0]), str(output))
    with Readers(output) as looking:
        for _ in range(rounds):
            runs = [((champion, str(path), str(output)), {"replace": True}) for path in two]
            assert [done.rows_scored for done in _at_once(*runs)] == [300, 300]
            laws.whole(output, *ids)
    laws.alone(output, laws.ids_of(output))
    looking.assert_saw_only(*ids)


def test_of_two_runs_at_once_that_may_not_replace_one_is_refused(
    champion, two, tmp_path, laws, one_bundle
):
    """What the other run has committed stays."""
    output = tmp_path / "out"
    found = _at_once(*[((champion, str(path), str(output)), {}) for path in two])
    refused = [isinstance(done, RequestError) for done in found]
    assert sorted(refused) == [False, True]
    assert "add --replace" in str(found[refused.index(True)])
    laws.alone(output, np.arange(300) + (OTHER if refused[0] else 0))


def test_the_same_run_fired_twice_is_done_once(champion, two, tmp_path, laws, one_bundle):
    """The second finds the scores of the first."""
    output = tmp_path / "out"
    found = _at_once(*[((champion, str(two[0]), str(output)), {})] * 2)
    assert sorted(done.reused for done in found) == [False, True]
    assert sorted(done.rows_reused for done in found) == [0, 300]
    laws.alone(output, np.arange(300))


@pytest.fixture
def in_the_middle():
    """Do something once, in the middle of the next scoring run.

    By then some rows are scored, some are not.
    """
    logger = logging.getLogger("afterfit.progress")
    before = logger.level
    logger.setLevel(logging.INFO)

    class Once(logging.Handler):
        action = None
        done = 0

        def emit(self, record):
            if self.action and 0 < record.rows_done < record.rows_total:
                action, self.action = self.action, None
                action()
                self.done += 1

    handler = Once()
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before)


def test_a_run_ends_with_the_version_it_began_with_whatever_happens_to_the_registry(
    servers, make_training, rows, tmp_path, laws, small_pieces, in_the_middle
):
    """The alias moves to another version between two bundles.

    Then the alias goes, and then the version itself.
    """
    name, client = "moving", connect()
    spec = make_training(tmp_path, name, "sklearn.linear_model.Ridge")
    for more in (
        [],
        [
            "candidates=[{estimator: sklearn.linear_model.LinearRegression}]",
            "gates.champion.margin=9",
        ],
    ):
        train_model(load_spec(spec, more))
    client.set_registered_model_alias(name, "champion", "1")
    source = tmp_path / "rows.parquet"
    pq.write_table(rows(2000), source)

    def score_while(model, number, action):
        in_the_middle.action = action
        output = tmp_path / f"out {number}"
        score_batch(model, str(source), str(output))
        laws.alone(output, np.arange(2000))
        assert in_the_middle.done == number
        return set(read_scores(output)["model_version"].to_pylist())

    assert score_while(
        name, 1, lambda: client.set_registered_model_alias(name, "champion", "2")
    ) == {1}
    assert score_while(name, 2, lambda: client.delete_registered_model_alias(name, "champion")) == {
        2
    }
    assert score_while(f"{name}/1", 3, lambda: client.delete_model_version(name, "1")) == {1}
    for model in (name, f"{name}/1"):
        with pytest.raises(RequestError):
            score_batch(model, str(source), str(tmp_path / "never"))
    laws.unchanged(tmp_path / "never")


@pytest.mark.slow
def test_commands_onto_one_output_wait_for_each_other(champion, make_source, start, laws, tmp_path):
    """Commands in processes wait as runs in threads do.

    Three start at once, twice, onto an output that is read all the while.
    """
    sources, output = (
        [make_source(0.5, first_id) for first_id in (0, OTHER, 2 * OTHER)],
        tmp_path / "out",
    )
    score_batch(champion, str(sources[0].path), str(output))
    with Readers(output) as looking:
        for _ in range(2):
            for run in [start(champion, source.path, output) for source in sources]:
                code, _, complained = run.wait()
                assert (code, complained) == (0, "")
            laws.whole(output, *(source.ids for source in sources))
    laws.alone(output, laws.ids_of(output))
    looking.assert_saw_only(*(source.ids for source in sources))


@pytest.mark.slow
def test_kills_at_any_moment_show_readers_the_old_or_the_new_output_whole(
    slow_champion, make_source, start, laws, reference, tmp_path
):
    """The kills come at seeded moments of the run.

    They come while it starts, after so many parts, in the commit, and after the end.
    """
    chance = random.Random(20)  # noqa: S311 - nobody is to be surprised but us
    now, then, output = make_source(6), make_source(6, OTHER), tmp_path / "out"
    score_batch(slow_champion, str(now.path), str(output))
    with Readers(output) as looking:
        for parts, workers in [
            (0, 0),
            (1, 0),
            (3, 2),
            (7, 0),
            (5, 2),
            (6, 0),
            (0, 2),
            (2, 0),
            (6, 2),
        ]:
            run = start(
                slow_champion, then.path, output, *(("--workers", str(workers)) if workers else ())
            )
            if parts:  # the seventh never comes: the run ends
                run.await_records(parts)
            time.sleep(chance.uniform(0, 0.5 if parts else 5))
            run.process.kill()
            run.wait()
            run.assert_gone()
            laws.whole(output, now.ids, then.ids)
            if np.array_equal(laws.ids_of(output), then.ids):  # it was committed before the kill
                now, then = then, now
    looking.assert_saw_only(now.ids, then.ids)
    assert len(set(looking.seen)) == 2
    score_batch(slow_champion, str(then.path), str(output), replace=True)
    laws.alone(output, then.ids)
    assert laws.parts_of(output) == reference(slow_champion, then)
