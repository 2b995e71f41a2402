"""The Dask task runner while something is killed: runs end right, and nothing is left over."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

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
def note(number, path):
    """Take a moment, and write down when this begins and ends, and in which process."""
    # One write is one line, whoever else writes.
    with Path(path).open("ab", buffering=0) as lines:
        lines.write(f"begin {number} {os.getpid()}\n".encode())
        time.sleep(0.01 * (number % 5))
        lines.write(f"end {number} {os.getpid()}\n".encode())
    return 2 * number


@dataclass(frozen=True)
class Journal:
    """What the tasks wrote down: a word, the number of a task, and the process, a line each."""

    path: Path

    def lines(self):
        if not self.path.exists():
            return []
        found = []
        for line in self.path.read_text().splitlines():
            word, number, pid = line.split()
            found.append((word, int(number), int(pid)))
        return found

    def ended(self):
        """Return how many tasks have ended."""
        return sum(word == "end" for word, _, _ in self.lines())

    def latest_processes(self):
        """Return the processes that wrote, the one that wrote last first."""
        pids = [pid for _, _, pid in reversed(self.lines())]
        return list(dict.fromkeys(pids))

    def in_hand_of(self, pids):
        """Return the numbers of the tasks that began last in these processes."""
        last = {pid: number for word, number, pid in self.lines() if word == "begin"}
        return {last[pid] for pid in pids}

    def begun_again(self):
        """Return the numbers of the tasks that began more than once."""
        times = Counter(number for word, number, _ in self.lines() if word == "begin")
        return {number for number, count in times.items() if count > 1}


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal")


class Killer:
    """A thread that kills processes of workers as soon as so many tasks have ended."""

    def __init__(self, journal, count, how_many):
        self.journal, self.count, self.how_many = journal, count, how_many
        self.killed = []
        self.thread = threading.Thread(target=self.act)
        self.thread.start()

    def act(self):
        deadline = time.monotonic() + HANGS
        while self.journal.ended() < self.count and time.monotonic() < deadline:
            time.sleep(0.001)
        for pid in self.journal.latest_processes()[: self.how_many]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.killed.append(pid)


def states_of(flow_run_id, count=None):
    """Count the names of the states of a flow run's task runs, once all (so many) are final."""
    deadline = time.monotonic() + HANGS
    of_flow = FlowRunFilter(id={"any_": [flow_run_id]})
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            runs = client.read_task_runs(flow_run_filter=of_flow)
            states = [run.state for run in runs]
            all_final = all(state and state.is_final() for state in states)
            if all_final and len(runs) == (count or len(runs)):
                break
            time.sleep(0.1)
    return Counter(state.name for state in states)


@pytest.mark.parametrize("seed", range(20))
def test_a_flow_ends_right_when_workers_are_killed_at_any_moment(servers, seed, journal):
    """What was in hand runs again if it has retries, else it is named; nothing done runs twice."""
    chance = random.Random(seed)  # noqa: S311 - it is not a secret
    retries = chance.choice([0, 3])
    count, how_many = chance.randrange(1, TASKS - 5), chance.choice([1, 1, 2])
    killer = Killer(journal, count, how_many)

    @flow(task_runner=make_runner(workers=2))
    def body():
        noting = note.with_options(retries=retries)
        futures = [noting.submit(number, str(journal.path)) for number in range(TASKS)]
        return [future.result(raise_on_failure=False) for future in futures]

    state = body(return_state=True)
    killer.thread.join()
    lost = lost_of(state.result())
    assert killer.killed
    in_hand = journal.in_hand_of(killer.killed)
    if retries:
        assert lost == set()
    assert lost <= in_hand
    # Without retries too, if it had begun so lately that the flow had not heard of it.
    assert journal.begun_again() <= in_hand

    expected = Counter({"Completed": TASKS - len(lost)})
    if lost:
        expected["Crashed"] = len(lost)
    assert states_of(state.state_details.flow_run_id, TASKS) == expected


def lost_of(results):
    """Return the numbers of the tasks that were lost; hold that the others' results are right."""
    lost = set()
    for number, result in enumerate(results):
        if isinstance(result, WorkerLostError):
            lost.add(number)
        else:
            assert result == 2 * number
    return lost


def test_a_flow_whose_scheduler_is_killed_ends_within_a_minute_and_names_it(
    servers, start_dask, free_port, journal
):
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    scheduler = start_dask("scheduler", "--port", port).pid
    start_dask("worker", address)
    killed_at = []

    @flow(task_runner=make_runner(cluster=address))
    def body():
        futures = [note.submit(number, str(journal.path)) for number in range(10 * TASKS)]
        while journal.ended() < TASKS:
            time.sleep(0.01)
        os.kill(scheduler, signal.SIGKILL)
        killed_at.append(time.monotonic())
        return futures[-1].result()

    state = body(return_state=True)
    assert time.monotonic() - killed_at[0] < 60
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
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_an_interrupted_flow_is_gone_within_30_seconds_with_all_its_processes(
    servers, number, tmp_path
):
    script, mark = tmp_path / "script.py", uuid.uuid4().hex
    script.write_text(SCRIPT)
    environment = {**os.environ, MARK: mark, "PYTHONPATH": ""}
    process = subprocess.Popen([sys.executable, script, tmp_path / "begun"], env=environment)
    deadline = time.monotonic() + HANGS

    def two_begun():
        return len(list(tmp_path.glob("begun.*"))) >= 2

    while not two_begun() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    told = time.monotonic()
    process.wait(timeout=HANGS)
    while (left := marked(mark)) and time.monotonic() - told < HANGS:
        time.sleep(0.1)
    assert two_begun()
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
