"""The Dask task runner while workers, schedulers and flows are killed: runs end right, and nothing
is left over.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter, defaultdict
from itertools import chain

import psutil
import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter

from tasks.core.errors import WorkerLostError
from tasks.runner.make import make_runner

pytestmark = pytest.mark.slow
TASKS = 40
HANGS = 120  # seconds; but for the promises below, time is never asserted
MARK = "AFTERFIT_RUNNER_TEST"  # which test started a process


@task
def note(number, journal):
    """Take a moment, and write down when this begins and ends, and in which process."""
    with open(journal, "ab", buffering=0) as lines:  # noqa: PTH123 - one write, one line, whoever else writes
        lines.write(f"begin {number} {os.getpid()}\n".encode())
        time.sleep(0.01 * (number % 5))
        lines.write(f"end {number} {os.getpid()}\n".encode())
    return 2 * number


def lines_of(journal):
    """Give what was written down: a word, the number of a task, and the process."""
    found = [line.split() for line in journal.read_text().splitlines()] if journal.exists() else []
    return [(word, int(number), int(pid)) for word, number, pid in found]


def kill_at(journal, count, how_many):
    """Wait until so many tasks have ended, and kill so many of the processes that ran them, from a
    thread.
    """

    def act():
        deadline = time.monotonic() + HANGS
        while (
            sum(word == "end" for word, *_ in lines_of(journal)) < count
            and time.monotonic() < deadline
        ):
            time.sleep(0.001)
        for pid in list(dict.fromkeys(pid for *_, pid in reversed(lines_of(journal))))[:how_many]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    killed = []
    thread = threading.Thread(target=act)
    thread.start()
    return thread, killed


def states_of(flow_run_id, count=None):
    """Give the names of the states of the task runs of a flow run, once they are final, and so
    many.
    """
    deadline = time.monotonic() + HANGS
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            runs = client.read_task_runs(flow_run_filter=FlowRunFilter(id={"any_": [flow_run_id]}))
            if len(runs) == (count or len(runs)) and all(
                run.state and run.state.is_final() for run in runs
            ):
                break
            time.sleep(0.1)
    return Counter(run.state.name for run in runs)


@pytest.mark.parametrize("seed", range(20))
def test_a_flow_ends_right_when_workers_are_killed_at_any_moment(servers, seed, tmp_path):
    """What was in hand runs again if it has retries, else it is named; what was done is not done
    twice.
    """
    chance = random.Random(seed)  # noqa: S311 - it is not a secret
    journal, retries = tmp_path / "journal", chance.choice([0, 3])
    killer, killed = kill_at(
        journal, chance.randrange(1, TASKS - 5), how_many=chance.choice([1, 1, 2])
    )

    @flow(task_runner=make_runner(workers=2))
    def body():
        futures = [
            note.with_options(retries=retries).submit(number, str(journal))
            for number in range(TASKS)
        ]
        return [future.result(raise_on_failure=False) for future in futures]

    state = body(return_state=True)
    killer.join()
    results = state.result()
    begun = defaultdict(list)
    for word, number, pid in lines_of(journal):
        if word == "begin":
            begun[pid].append(number)
    in_hand = {begun[pid][-1] for pid in killed}
    assert killed
    lost = {number for number, result in enumerate(results) if isinstance(result, WorkerLostError)}
    assert [result for number, result in enumerate(results) if number not in lost] == [
        2 * number for number in range(TASKS) if number not in lost
    ]
    assert lost <= (in_hand if not retries else set())
    again = {number for number, times in Counter(chain(*begun.values())).items() if times > 1}
    assert (
        again <= in_hand
    )  # without retries too, if it had begun so lately that the flow had not heard of it
    expected = Counter({"Completed": TASKS - len(lost)}) + Counter({"Crashed": len(lost)})
    assert states_of(state.state_details.flow_run_id, TASKS) == expected


def test_a_flow_whose_scheduler_is_killed_ends_within_a_minute_and_names_it(
    servers, start_dask, free_port, tmp_path
):
    port = free_port()
    address, journal = f"tcp://127.0.0.1:{port}", tmp_path / "journal"
    scheduler = start_dask("scheduler", "--port", port).pid
    start_dask("worker", address)
    moments = []

    @flow(task_runner=make_runner(cluster=address))
    def body():
        futures = [note.submit(number, str(journal)) for number in range(10 * TASKS)]
        while sum(word == "end" for word, *_ in lines_of(journal)) < TASKS:
            time.sleep(0.01)
        os.kill(scheduler, signal.SIGKILL)
        moments.append(time.monotonic())
        return futures[-1].result()

    state = body(return_state=True)
    assert time.monotonic() - moments[0] < 60
    with pytest.raises(WorkerLostError, match=rf"The Dask scheduler at {address} went away"):
        state.result()
    states = states_of(state.state_details.flow_run_id)
    assert set(states) <= {"Completed", "Crashed"}  # of those the API has heard of
    assert states["Completed"] >= TASKS - 1


SCRIPT = """
import sys, time
from prefect import flow, task
from tasks.runner.make import make_runner

@task
def wait(number):
    open(f"{sys.argv[1]}.{number}", "w").close()
    time.sleep(60)

@flow(task_runner=make_runner(workers=2))
def body():
    wait.map(range(8)).result()

if __name__ == "__main__":
    body()
"""


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name
)
def test_a_flow_that_is_interrupted_is_gone_within_30_seconds_with_all_its_processes(
    servers, number, tmp_path
):
    script, mark = tmp_path / "script.py", uuid.uuid4().hex
    script.write_text(SCRIPT)
    environment = {**os.environ, MARK: mark, "PYTHONPATH": ""}
    process = subprocess.Popen([sys.executable, script, tmp_path / "begun"], env=environment)
    deadline = time.monotonic() + HANGS
    while (
        len(list(tmp_path.glob("begun.*"))) < 2
        and process.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    process.send_signal(number)
    told = time.monotonic()
    process.wait(timeout=HANGS)
    while (left := marked(mark)) and time.monotonic() - told < HANGS:
        time.sleep(0.1)
    assert process.returncode != 0
    assert left == []
    assert time.monotonic() - told < 30


def marked(mark):
    """List the processes of a test that are alive."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
