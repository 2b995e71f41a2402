"""What becomes of a task that fails, and of those that depend on it, on threads and processes."""

import os
import signal
import threading
import time

import pytest
from prefect import allow_failure, task

from tasks.core.errors import WorkerLostError
from tasks.runner.make import make_runner

HANGS = 60  # seconds; time itself is never asserted


@task
def add(a, b=1):
    return a + b


@task
def fail(reason="no luck"):
    raise ValueError(reason)


def test_a_failed_task_raises_what_it_raised_where_its_result_is_asked_for(runner, play):
    def body():
        future = fail.submit("so it is")
        with pytest.raises(ValueError, match="so it is"):
            future.result()
        error = future.result(raise_on_failure=False)
        return future.state.name, repr(error), "so it is" in future.state.message

    assert play(runner, body).result() == ("Failed", "ValueError('so it is')", True)


def test_a_failed_task_that_nobody_asks_for_fails_the_flow_that_returns_it(runner, play):
    def body():
        return [fail.submit(), add.submit(1)]

    state = play(runner, body)
    assert (state.name, state.message) == ("Failed", "1/2 states failed.")


def test_what_depends_on_a_failed_task_never_runs(runner, play):
    def body():
        failed = fail.submit()
        dependents = [
            add.submit(failed),
            add.submit(1, b={"nested": [failed]}),
            add.submit(1, wait_for=[failed]),
        ]
        for future in dependents:
            future.wait()
        return [(future.state.type.value, future.state.name) for future in dependents]

    assert play(runner, body).result() == [("PENDING", "NotReady")] * 3


def test_a_task_may_ask_for_a_failure(runner, play):
    @task
    def look(error):
        return repr(error)

    def body():
        failed = fail.submit()
        seen = look.submit(allow_failure(failed))
        after = add.submit(1, wait_for=[allow_failure(failed)])
        return seen.result(), after.result()

    assert play(runner, body).result() == ("ValueError('no luck')", 2)


def test_a_task_that_exits_crashes_its_run_and_not_the_worker(runner, play):
    @task
    def leave():
        raise SystemExit(3)

    def body():
        future = leave.submit()
        future.wait()
        return future.state.name, add.submit(1).result()

    assert play(runner, body).result() == ("Crashed", 2)


def test_a_result_that_cannot_be_pickled_is_a_failure_of_its_task(processes, play):
    @task
    def lock():
        return threading.Lock()

    def body():
        future = lock.submit()
        future.wait()
        return future.state.name, future.state.message, add.submit(1).result()

    name, message, after = play(processes, body).result()
    assert (name, after) == ("Crashed", 2)
    assert "cannot pickle '_thread.lock' object" in message


def test_an_exception_that_cannot_be_unpickled_ends_its_task_all_the_same(processes, play):
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

    assert play(processes, body).result() == ("Crashed", 2)


# Retries and time-outs


def test_a_task_is_tried_again_after_its_delay(runner, play, runs_of, tmp_path):
    path = tmp_path / "tries"

    @task(retries=3, retry_delay_seconds=0.1)
    def stumble():
        with path.open("a") as file:
            file.write("x")
        if path.stat().st_size < 3:
            raise ValueError
        return path.stat().st_size

    def body():
        return stumble.submit().result()

    state = play(runner, body)
    (run,) = runs_of(state, 1).values()
    assert (state.result(), run.run_count) == (3, 3)


def test_a_task_is_tried_again_only_if_its_condition_says_so(runner, play, tmp_path):
    path = tmp_path / "tries"

    @task(retries=3, retry_condition_fn=lambda *_: False)
    def stumble():
        with path.open("a") as file:
            file.write("x")
        raise ValueError

    def body():
        stumble.submit().wait()

    play(runner, body)
    assert path.read_text() == "x"


def test_a_task_ends_at_its_time_out(runner, play):
    @task(timeout_seconds=0.5)
    def hang():
        for _ in range(HANGS * 100):
            time.sleep(0.01)

    def body():
        future = hang.submit()
        future.wait()
        return future.state.name, future.state.type.value

    assert play(runner, body).result() == ("TimedOut", "FAILED")


# Workers that die


def test_a_task_whose_worker_was_killed_runs_again_or_says_so(servers, play, runs_of, tmp_path):
    """Each task kills its worker the first time it runs: one has a retry, the other has none."""

    @task
    def die(path):
        if not path.exists():
            path.touch()
            time.sleep(0.2)  # until the flow has heard that it has begun
            os.kill(os.getpid(), signal.SIGKILL)
        return "survived"

    def body():
        again = die.with_options(name="again", retries=1)
        assert again.submit(tmp_path / "again").result() == "survived"
        once = die.with_options(name="once").submit(tmp_path / "once")
        with pytest.raises(WorkerLostError, match=r"once lost its worker tls://127\.0\.0\.1:\d+\."):
            once.result()

    state = play(make_runner(workers=2), body)
    assert state.name == "Completed", state
    runs = runs_of(state, 2)
    states = {name.split("-")[0]: run.state_name for name, run in runs.items()}
    assert states == {"again": "Completed", "once": "Crashed"}
    assert (tmp_path / "once").exists()
