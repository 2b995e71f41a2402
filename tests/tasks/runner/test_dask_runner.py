"""The Dask task runner itself: its life, its copies, its workers, and what it leaves as it was."""

import copy
import os
import pickle
import signal
import subprocess
import sys
import time

import dask
import psutil
import pytest
from prefect import task
from prefect.context import FlowRunContext

from tasks.runner.dask_runner import DaskRunner
from tasks.runner.local_cluster import on_processes, on_threads
from tasks.runner.make import make_runner
from tasks.runner.starting import SETTINGS, THREAD_VARIABLES

HANGS = 60  # seconds; time itself is never asserted
pytestmark = pytest.mark.usefixtures("outside_of_flows")


@task
def add(a, b=1):
    return a + b


def test_a_runner_that_is_not_started_says_so():
    with pytest.raises(RuntimeError, match="must be started"):
        make_runner().submit(add, {"a": 1})
    with pytest.raises(RuntimeError, match="must be started"):
        make_runner().map(add, {"a": [1]})


def test_a_runner_is_started_once_at_a_time(runner):
    with runner, pytest.raises(RuntimeError, match="already started"):
        runner.__enter__()


def test_a_runner_can_be_started_again_also_after_it_had_nothing_to_do(runner):
    with runner:
        pass
    for _ in range(2):
        with runner:
            assert runner.submit(add, {"a": 1, "b": 1}).result() == 2


def test_copies_of_a_runner_are_equal_and_not_started(runner):
    with runner:
        runner.submit(add, {"a": 1, "b": 1}).result()
        for other in (runner.duplicate(), pickle.loads(pickle.dumps(runner))):  # noqa: S301 - our own
            assert other == runner
            assert other is not runner
            assert not other._started


def test_runners_with_other_workers_are_not_equal():
    assert make_runner(workers=2) != make_runner(workers=3)
    assert make_runner(cluster="tcp://127.0.0.1:1") != make_runner(cluster="tcp://127.0.0.1:2")
    assert make_runner() != object()


def test_two_runners_share_a_scheduler_without_a_word_to_each_other(address):
    with DaskRunner(address) as one, DaskRunner(address) as other:
        futures = []
        for number in range(10):
            parameters = {"a": number, "b": 1}
            futures.append(one.submit(add, parameters))
            futures.append(other.submit(add, parameters))
        results = [future.result() for future in futures]
    expected = [number + 1 for number in range(10) for _ in range(2)]
    assert results == expected


def test_importing_starts_nothing_and_imports_no_dask():
    code = """import sys, threading, tasks.runner.make
found = [name for name in ("dask", "distributed") if name in sys.modules]
print(found, threading.active_count())"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "1"]


# Its workers


def test_a_worker_that_dask_has_given_up_is_replaced(servers, play):
    """Dask starts a dead one again, but not when that dies as well before it is ready."""

    def body():
        runner = FlowRunContext.get().task_runner
        with dask.config.set({"distributed.deploy.lost-worker-timeout": "1s"}):
            assert add.submit(1).result() == 2
            (nanny,) = runner._cluster.workers.values()
            runner._cluster.sync(nanny.close)
            return add.submit(2).result(), list(runner._cluster.worker_spec)

    assert play(make_runner(workers=1), body).result() == (3, ["replacement-1"])


def test_tasks_run_where_the_process_holds_nearly_all_memory_there_is(servers, play):
    """Dask by itself would have a worker wait until memory is free again."""
    held = psutil.Process().memory_info().rss
    runner = DaskRunner(local=on_threads(1) | {"memory_limit": held})

    def body():
        add.submit(1).wait()
        time.sleep(1)  # until the worker has looked at its memory
        return add.submit(2).result(timeout=HANGS)

    assert play(runner, body).result() == 3


def test_workers_have_the_runners_settings_and_so_have_the_next_ones(servers, play):
    """One that died is started again, and one that Dask gave up is replaced."""

    @task
    def look():
        return [dask.config.get(name) for name in SETTINGS], os.getpid()

    def body():
        runner = FlowRunContext.get().task_runner
        with dask.config.set({"distributed.deploy.lost-worker-timeout": "1s"}):
            first = look.submit().result()
            os.kill(first[1], signal.SIGKILL)
            second = look.submit().result()
            (nanny,) = runner._cluster.workers.values()
            runner._cluster.sync(nanny.close)
            return first, second, look.submit().result()

    found = play(make_runner(workers=1), body).result()
    assert [settings for settings, _ in found] == [[False, False, []]] * 3
    assert len({pid for _, pid in found}) == 3


# What belongs to the whole process


@pytest.mark.parametrize("workers", [None, 1])
def test_a_runner_leaves_settings_and_environment_as_they_were(servers, workers):
    def now():
        return copy.deepcopy(dask.config.config), dict(os.environ)

    before = now()
    runner = make_runner(workers=workers)
    assert now() == before
    with runner:
        assert runner.submit(add, {"a": 1, "b": 1}).result() == 2
        assert now() == before
    assert now() == before


def test_each_runner_sets_the_threads_of_libraries_unless_the_user_does(servers, monkeypatch):
    """One runner after the other: nothing of the first is there for the next."""

    @task
    def threads():
        return [os.environ[name] for name in THREAD_VARIABLES]

    def of_a_worker(library_threads):
        with DaskRunner(local=on_processes(1, library_threads)) as runner:
            return runner.submit(threads, {}).result()

    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert of_a_worker(3) == ["3", "3", "3"]
    assert of_a_worker(2) == ["2", "2", "2"]
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert of_a_worker(2) == ["5", "2", "2"]
    assert os.environ["OMP_NUM_THREADS"] == "5"
