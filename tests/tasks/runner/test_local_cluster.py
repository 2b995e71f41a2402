"""Workers of a runner's own: each has the settings, also one that comes in place of another."""

import logging
import time

import dask
import pytest

from tasks.runner import local_cluster
from tasks.runner.starting import LOG_SETTING

HANGS = 60  # seconds; time itself is never asserted


@pytest.fixture
def cluster():
    """A cluster of one worker, on threads, whose lost workers are given up at once."""
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "10ms"}),
        local_cluster.start(local_cluster.on_threads(1)) as started,
    ):
        yield started


def eventually(look):
    deadline = time.monotonic() + HANGS
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def settings_of(worker):
    return "profile" in worker.periodic_callbacks, worker.memory_manager.memory_pause_fraction


def test_a_worker_on_threads_has_the_settings_and_so_has_its_replacement(cluster):
    replacements = local_cluster.Replacements(cluster)
    replacements.start_missing()
    (worker,) = cluster.workers.values()
    cluster.sync(worker.close)

    def replaced():
        replacements.start_missing()
        return cluster.workers.get("replacement-1")

    replacement = eventually(replaced)
    assert [settings_of(each) for each in (worker, replacement)] == [(False, False)] * 2
    assert list(cluster.workers) == ["replacement-1"]


@pytest.mark.parametrize(
    ("chosen", "expected"), [(logging.INFO, logging.WARNING), (logging.DEBUG, logging.DEBUG)]
)
def test_dask_tells_no_news_where_it_has_no_handler_unless_somebody_asked(
    monkeypatch, chosen, expected
):
    """INFO is what Dask sets by itself; Prefect's handlers were there first."""
    logger = logging.getLogger("distributed")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "level", chosen)

    with (
        dask.config.set({LOG_SETTING: None}),
        local_cluster.start(local_cluster.on_threads(1)),
    ):
        assert logger.level == expected


def test_nothing_is_replaced_while_all_workers_are_there(cluster):
    replacements = local_cluster.Replacements(cluster)
    for _ in range(2):
        replacements.start_missing()
    assert list(cluster.worker_spec) == [0]


@pytest.mark.parametrize("workers", [1, 3])
def test_worker_processes_share_the_memory_equally(workers):
    from distributed.system import MEMORY_LIMIT

    options = local_cluster.on_processes(workers, library_threads=1)
    assert options["memory_limit"] == MEMORY_LIMIT // workers
