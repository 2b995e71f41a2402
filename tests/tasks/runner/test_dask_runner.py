"""The Dask task runner: what Prefect promises of a task runner, on threads of this process and on
two processes.
"""

import asyncio
import copy
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import dask
import psutil
import pytest
from prefect import allow_failure, flow, get_run_logger, task, unmapped
from prefect.cache_policies import INPUTS
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, LogFilter
from prefect.context import FlowRunContext
from prefect.futures import as_completed, wait
from prefect.settings import PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW, temporary_settings

from tasks.core.errors import WorkerLostError
from tasks.runner.dask_runner import DaskRunner
from tasks.runner.local_cluster import PAGES, on_processes, on_threads
from tasks.runner.make import make_runner
from tasks.runner.starting import SETTINGS, THREAD_VARIABLES

HANGS = 60  # seconds; time itself is never asserted


@pytest.fixture(scope="module", autouse=True)
def no_warnings_of_logs_outside_of_flows():
    with temporary_settings({PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"}):
        yield


@pytest.fixture(scope="module")
def address(servers):
    """The address of a scheduler with two worker processes, which all tests of this file share."""
    from distributed import LocalCluster

    local = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "host": "127.0.0.1"}
    with LocalCluster(**local, **PAGES) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(params=["threads", "processes"])
def runner(request, servers):
    """A runner, not started, on each kind of worker."""
    return (
        make_runner()
        if request.param == "threads"
        else make_runner(cluster=request.getfixturevalue("address"))
    )


@pytest.fixture
def processes(address):
    """A runner on worker processes, where threads of this process make no difference."""
    return make_runner(cluster=address)


def play(runner, function, **options):
    """Run a function as a flow; give its final state."""
    return flow(task_runner=runner, **options)(function)(return_state=True)


def eventually(look, count):
    """Ask the API until it shows as many as expected: events and logs reach it a little later."""
    deadline = time.monotonic() + HANGS
    with get_client(sync_client=True) as client:
        while len(found := look(client)) != count and time.monotonic() < deadline:
            time.sleep(0.1)
    assert len(found) == count, found
    return found


def runs_of(state, count):
    """Give the task runs of a flow run by their names, as the API shows them once so many have
    ended.
    """
    of_flow = FlowRunFilter(id={"any_": [state.state_details.flow_run_id]})

    def ended(client):
        return [
            run
            for run in client.read_task_runs(flow_run_filter=of_flow)
            if run.state and run.state.is_final()
        ]

    return {run.name: run for run in eventually(ended, count)}


@task(task_run_name="add-{a}-{b}")
def add(a, b=1):
    return a + b


@task
def fail(reason="no luck"):
    raise ValueError(reason)


@task
def total(nested):
    return sum(nested["a"]) + nested["b"]["c"][0]


# Results


def test_a_submitted_task_gives_its_result_and_its_state(runner):
    def body():
        future = add.submit(1, b=2)
        return (
            future.result(),
            future.state.name,
            future.task_run_id == future.state.state_details.task_run_id,
        )

    assert play(runner, body).result() == (3, "Completed", True)


def test_a_mapped_task_runs_once_for_each_item_and_what_is_unmapped_is_the_same_for_all(runner):
    def body():
        return add.map([1, 2, 3], b=unmapped(10)).result(), add.map([1, 2], [3, 4]).result()

    assert play(runner, body).result() == ([11, 12, 13], [4, 6])


def test_futures_are_parameters_of_other_tasks_however_deep(runner):
    def body():
        first = add.submit(1)
        second = add.submit(first, b=first)
        return total.submit({"a": [first, second, 1], "b": {"c": (second,)}}).result()

    assert play(runner, body).result() == 2 + 4 + 1 + 4


def test_futures_of_one_map_are_items_of_the_next(runner):
    def body():
        return add.map(add.map([1, 2, 3])).result()

    assert play(runner, body).result() == [3, 4, 5]


def test_a_task_begins_after_those_it_waits_for(runner, tmp_path):
    path = tmp_path / "order"

    @task
    def write(word, seconds=0.0):
        time.sleep(seconds)
        with path.open("a") as file:
            file.write(word)

    def body():
        first = write.submit("a", 0.5)
        second = write.submit("b", wait_for=[first])
        write.map(["c", "c"], wait_for=[second]).wait()

    play(runner, body)
    assert path.read_text() == "abcc"


def test_futures_can_be_waited_for_together_and_taken_as_they_are_done(runner):
    def body():
        futures = [add.submit(n) for n in range(4)]
        done = sorted(future.result() for future in as_completed(futures, timeout=HANGS))
        return done, len(wait(futures).done)

    assert play(runner, body).result() == ([1, 2, 3, 4], 4)


def test_a_result_is_not_waited_for_longer_than_asked(runner):
    def body():
        future = slow.submit()
        with pytest.raises(TimeoutError, match="did not complete within"):
            future.result(timeout=0.1)
        return future.result()

    @task
    def slow():
        time.sleep(2)
        return "done"

    assert play(runner, body).result() == "done"


def test_futures_a_flow_gives_back_are_its_result(runner):
    states = play(runner, lambda: add.map([1, 2]), name="gives-futures").result()
    assert [state.result() for state in states] == [2, 3]


def test_a_big_result_and_a_big_parameter_arrive_whole(runner):
    @task
    def double(content):
        return content * 2

    content = os.urandom(5_000_000)
    assert play(runner, lambda: double.submit(content).result(), name="big").result() == content * 2


# Failures


def test_a_failed_task_raises_what_it_raised_where_its_result_is_asked_for(runner):
    def body():
        future = fail.submit("so it is")
        with pytest.raises(ValueError, match="so it is"):
            future.result()
        return (
            future.state.name,
            repr(future.result(raise_on_failure=False)),
            "so it is" in future.state.message,
        )

    assert play(runner, body).result() == ("Failed", "ValueError('so it is')", True)


def test_a_failed_task_that_nobody_asks_for_fails_the_flow_that_returns_it(runner):
    state = play(runner, lambda: [fail.submit(), add.submit(1)], name="returns-failure")
    assert (state.name, state.message) == ("Failed", "1/2 states failed.")


def test_what_depends_on_a_failed_task_never_runs(runner):
    def body():
        failed = fail.submit()
        dependents = (
            add.submit(failed),
            total.submit({"a": [failed]}),
            add.submit(1, wait_for=[failed]),
        )
        for future in dependents:
            future.wait()
        return [(future.state.type.value, future.state.name) for future in dependents]

    assert play(runner, body).result() == [("PENDING", "NotReady")] * 3


def test_a_task_may_ask_for_a_failure(runner):
    @task
    def look(error):
        return repr(error)

    def body():
        failed = fail.submit()
        return look.submit(allow_failure(failed)).result(), add.submit(
            1, wait_for=[allow_failure(failed)]
        ).result()

    assert play(runner, body).result() == ("ValueError('no luck')", 2)


def test_a_task_that_exits_crashes_its_run_and_not_the_worker(runner):
    @task
    def leave():
        raise SystemExit(3)

    def body():
        future = leave.submit()
        future.wait()
        return future.state.name, add.submit(1).result()

    assert play(runner, body).result() == ("Crashed", 2)


def test_a_result_that_cannot_be_pickled_is_a_failure_of_its_task(processes):
    @task
    def lock():
        return threading.Lock()

    def body():
        future = lock.submit()
        future.wait()
        return future.state.name, future.state.message, add.submit(1).result()

    name, message, after = play(processes, body, name="unpicklable").result()
    assert (name, after) == ("Crashed", 2)
    assert "cannot pickle '_thread.lock' object" in message


def test_an_exception_that_cannot_be_unpickled_ends_its_task_all_the_same(processes):
    """Its class takes other arguments than it keeps, and the flow would wait for ever."""

    class TwoWordsError(Exception):
        def __init__(self, one, two):
            super().__init__(f"{one} {two}")

    @task
    def fail_with_two_words():
        raise TwoWordsError("no", "luck")

    def body():
        future = fail_with_two_words.submit()
        with pytest.raises(WorkerLostError, match="ran, but its result cannot be read here"):
            future.result()
        return future.state.name, add.submit(1).result()

    assert play(processes, body, name="unreadable").result() == ("Crashed", 2)


def test_a_task_is_tried_again_after_its_delay(runner, tmp_path):
    @task(retries=3, retry_delay_seconds=0.1)
    def stumble(path):
        with path.open("a") as file:
            file.write("x")
        if path.stat().st_size < 3:
            raise ValueError
        return path.stat().st_size

    state = play(runner, lambda: stumble.submit(tmp_path / "tries").result(), name="stumbles")
    assert state.result() == 3
    assert [run.run_count for run in runs_of(state, 1).values()] == [3]


def test_a_task_is_tried_again_only_if_its_condition_says_so(runner, tmp_path):
    @task(retries=3, retry_condition_fn=lambda *_: False)
    def stumble(path):
        with path.open("a") as file:
            file.write("x")
        raise ValueError

    play(runner, lambda: stumble.submit(tmp_path / "tries").wait(), name="gives-up")
    assert (tmp_path / "tries").read_text() == "x"


def test_a_task_ends_at_its_time_out(runner):
    @task(timeout_seconds=0.5)
    def hang():
        for _ in range(HANGS * 100):
            time.sleep(0.01)

    def body():
        future = hang.submit()
        future.wait()
        return future.state.name, future.state.type.value

    assert play(runner, body).result() == ("TimedOut", "FAILED")


# Kinds of tasks and flows


def test_tasks_submit_tasks_and_wait_for_them_on_the_place_of_their_own(runner):
    """More parents than places, each waiting for two children: nothing waits for ever."""

    @task(task_run_name="parent-{n}")
    def parent(n):
        return sum(add.map([n, n]).result())

    state = play(runner, lambda: parent.map(range(4)).result(), name="nested")
    assert state.result() == [2, 4, 6, 8]
    runs = runs_of(state, 12)
    assert {run.state_name for run in runs.values()} == {"Completed"}
    assert [str(parent.id) for parent in runs["add-3-1"].task_inputs["__parents__"]] == [
        str(runs["parent-3"].id)
    ]


def test_a_task_calls_another(runner):
    @task
    def outer():
        return add(1), add(2)

    assert play(runner, lambda: outer.submit().result(), name="calls").result() == (2, 3)


def test_async_tasks_run_in_flows_of_both_kinds(runner):
    @task
    async def wait_and_add(a):
        await asyncio.sleep(0.01)
        return a + 1

    @flow(task_runner=runner)
    async def fan_out():
        futures = wait_and_add.map([1, 2])
        return [future.result() for future in futures] + [await wait_and_add(3)]

    assert play(runner, lambda: wait_and_add.map([1, 2]).result(), name="sync").result() == [2, 3]
    assert asyncio.run(fan_out()) == [2, 3, 4]


def test_a_subflow_has_a_runner_of_its_own_and_takes_futures(runner):
    @flow(task_runner=runner)
    def inner(n):
        return add.submit(n).result()

    def body():
        return (
            inner(add.submit(1).result()),
            inner(5),
            add.submit(inner(7, return_state=True)).result(),
        )

    assert play(runner, body).result() == (3, 6, 9)


def test_a_task_runs_a_subflow(runner):
    @flow(task_runner=runner)
    def inner(n):
        return add.submit(n).result()

    @task
    def outer(n):
        return inner(n)

    assert play(runner, lambda: outer.map([1, 2]).result(), name="flow-in-task").result() == [2, 3]


def test_a_task_is_submitted_outside_of_a_flow(runner):
    with runner:
        assert runner.submit(add, {"a": 1, "b": 2}).result() == 3


# What the API knows


def test_names_tags_final_states_and_inputs_are_in_the_api(runner):
    @task(name="tagged", task_run_name="first", tags=["mine"])
    def tagged():
        return 1

    def body():
        first = tagged.submit()
        failed = fail.submit()
        wait([add.submit(first, b=2), add.submit(failed, b=3), add.submit(5, wait_for=[first])])

    def with_tags():
        from prefect import tags

        with tags("of-flow"):
            body()

    runs = runs_of(play(runner, with_tags, name="names"), 4)
    assert {name.split("-")[0] for name in runs} == {"first", "fail", "add"}
    assert set(runs["first"].tags) == {"mine", "of-flow"}
    assert (runs["first"].state_name, runs["add-1-2"].state_name) == ("Completed", "Completed")
    assert [str(given.id) for given in runs["add-1-2"].task_inputs["a"]] == [str(runs["first"].id)]
    assert [str(given.id) for given in runs["add-5-1"].task_inputs["wait_for"]] == [
        str(runs["first"].id)
    ]
    assert all(run.start_time <= run.end_time for run in runs.values())


def test_logs_of_tasks_are_in_the_api_with_their_task_run(runner):
    @task
    def speak(n):
        get_run_logger().info("word %s", n)

    state = play(runner, lambda: speak.map([1, 2]).wait(), name="speaks")
    runs = runs_of(state, 2).values()
    for_runs = LogFilter(task_run_id={"any_": [run.id for run in runs]})
    logs = eventually(
        lambda client: [log for log in client.read_logs(for_runs) if "word" in log.message], 2
    )
    assert {log.message for log in logs} == {"word 1", "word 2"}
    assert {log.task_run_id for log in logs} == {run.id for run in runs}


def test_a_cached_result_is_not_computed_again(runner, tmp_path):
    seen = tmp_path / "seen"

    @task(cache_policy=INPUTS, persist_result=True)
    def note(path, salt):
        with path.open("a") as file:
            file.write("x")
        return 42

    def body():
        future = note.submit(seen, str(tmp_path))
        return future.result(), future.state.name

    results = [play(runner, body, name="cached").result() for _ in range(2)]
    assert results == [(42, "Completed"), (42, "Cached")]
    assert seen.read_text() == "x"


def test_a_limit_on_a_tag_holds_across_workers(runner, tmp_path):
    from prefect.client.orchestration import get_client

    path, tag = tmp_path / "inside", f"one-{tmp_path.name}"
    with get_client(sync_client=True) as client:
        client.create_concurrency_limit(tag, 1)

    @task(tags=[tag])
    def enter():
        with path.open("a") as file:
            file.write("(")
        time.sleep(0.2)
        with path.open("a") as file:
            file.write(")")

    play(
        runner,
        lambda: [future.result() for future in [enter.submit() for _ in range(3)]],
        name="limited",
    )
    assert path.read_text() == "()()()"


def test_what_is_not_done_when_the_flow_ends_is_cancelled(processes, tmp_path):
    """One runs, one waits for it, one has no place: none is left open, and the flow does not wait
    for them.
    """

    @task
    def hang(path):
        path.touch()
        for _ in range(HANGS * 100):
            time.sleep(0.01)
            if not path.exists():
                return

    def body():
        hang.submit(tmp_path / "begun")
        add.submit(1, wait_for=[hang.submit(tmp_path / "begun too")])
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.01)

    state = play(processes, body)
    runs = runs_of(state, 2)
    for path in tmp_path.iterdir():
        path.unlink()
    assert state.name == "Completed"
    assert {(run.state_name, run.state.message) for run in runs.values()} == {
        ("Cancelled", "The flow ended before it did.")
    }


# The runner itself


def test_a_runner_that_is_not_started_says_so():
    with pytest.raises(RuntimeError, match="must be started"):
        make_runner().submit(add, {"a": 1})
    with pytest.raises(RuntimeError, match="must be started"):
        make_runner().map(add, {"a": [1]})


def test_a_runner_is_started_once_at_a_time(runner):
    with runner, pytest.raises(RuntimeError, match="already started"):
        runner.__enter__()


def test_a_runner_can_be_started_again(runner):
    for _ in range(2):
        with runner:
            assert runner.submit(add, {"a": 1, "b": 1}).result() == 2


def test_copies_of_a_runner_are_equal_and_not_started(runner):
    with runner:
        runner.submit(add, {"a": 1, "b": 1}).result()
        copies = runner.duplicate(), pickle.loads(pickle.dumps(runner))  # noqa: S301 - our own
        assert all(copy == runner and copy is not runner and not copy._started for copy in copies)
    assert make_runner(workers=2) != make_runner(workers=3)
    assert make_runner(cluster="tcp://127.0.0.1:1") != make_runner(cluster="tcp://127.0.0.1:2")
    assert make_runner() != object()


def test_two_runners_share_a_scheduler_without_a_word_to_each_other(address):
    with DaskRunner(address) as one, DaskRunner(address) as other:
        futures = [
            runner.submit(add, {"a": n, "b": 1}) for n in range(10) for runner in (one, other)
        ]
        assert sorted(future.result() for future in futures) == sorted(
            [*range(1, 11), *range(1, 11)]
        )


def test_importing_starts_nothing_and_imports_no_dask():
    code = """import sys, threading, tasks.runner.make
print([name for name in ("dask", "distributed") if name in sys.modules], threading.active_count())"""
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert said.split() == ["[]", "1"]


def test_a_task_whose_worker_was_killed_runs_again_or_says_so(servers, tmp_path):
    """Each task kills its worker the first time it runs: one has a retry, the other has none."""

    @task
    def die(path):
        if not path.exists():
            path.touch()
            time.sleep(0.2)  # until the flow has heard that it has begun
            os.kill(os.getpid(), signal.SIGKILL)
        return "survived"

    def body():
        again = die.with_options(name="again", retries=1).submit(tmp_path / "again")
        assert again.result() == "survived"
        with pytest.raises(WorkerLostError, match=r"once lost its worker tcp://127\.0\.0\.1:\d+\."):
            die.with_options(name="once").submit(tmp_path / "once").result()

    state = play(make_runner(workers=2), body)
    assert state.name == "Completed", state
    assert {name.split("-")[0]: run.state_name for name, run in runs_of(state, 2).items()} == {
        "again": "Completed",
        "once": "Crashed",
    }
    assert Path(tmp_path / "once").exists()


def test_a_worker_that_dask_has_given_up_is_replaced(servers):
    """Dask starts a dead one again, but not when that dies as well before it is ready."""

    def body():
        runner = FlowRunContext.get().task_runner
        with dask.config.set({"distributed.deploy.lost-worker-timeout": "1s"}):
            assert add.submit(1).result() == 2
            (nanny,) = runner._cluster.workers.values()
            runner._cluster.sync(nanny.close)
            return add.submit(2).result(), list(runner._cluster.worker_spec)

    assert play(make_runner(workers=1), body).result() == (3, ["replacement-1"])


def test_tasks_run_also_where_the_process_holds_nearly_all_memory_there_is(servers):
    """Dask by itself would have a worker wait until memory is free again."""
    held = psutil.Process().memory_info().rss

    def body():
        add.submit(1).wait()
        time.sleep(1)  # until the worker has looked at its memory
        return add.submit(2).result(timeout=HANGS)

    assert play(DaskRunner(local=on_threads(1) | {"memory_limit": held}), body).result() == 3


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


def test_the_threads_of_libraries_are_those_of_each_runner_unless_the_user_says_so(
    servers, monkeypatch
):
    """One runner after the other: nothing of the first is there for the next."""

    @task
    def threads():
        return [os.environ[name] for name in THREAD_VARIABLES]

    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def of_a_worker(library_threads):
        with DaskRunner(local=on_processes(1, library_threads)) as runner:
            return runner.submit(threads, {}).result()

    assert of_a_worker(3) == ["3", "3", "3"]
    assert of_a_worker(2) == ["2", "2", "2"]
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert of_a_worker(2) == ["5", "2", "2"]
    assert os.environ["OMP_NUM_THREADS"] == "5"


def test_workers_have_the_settings_that_make_small_tasks_fast_also_the_next_ones(servers):
    """A worker that died, and one in place of a worker that Dask gave up, have them too."""

    @task
    def settings():
        return [dask.config.get(name) for name in SETTINGS], os.getpid()

    def body():
        runner = FlowRunContext.get().task_runner
        with dask.config.set({"distributed.deploy.lost-worker-timeout": "1s"}):
            found = [settings.submit().result()]
            os.kill(found[-1][1], signal.SIGKILL)
            found.append(settings.submit().result())
            (nanny,) = runner._cluster.workers.values()
            runner._cluster.sync(nanny.close)
            found.append(settings.submit().result())
        return found

    found = play(make_runner(workers=1), body).result()
    assert [of for of, _ in found] == [[False, False]] * 3
    assert len({pid for _, pid in found}) == 3
