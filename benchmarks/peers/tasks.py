"""Run many small tasks as a flow, and print the seconds.

`python tasks.py no_ops|diamond|recorded RUNNER COUNT`

They are counted from the first submission to the last result, in a flow whose workers have started
and have run one task. `bare` is Dask alone, for the diamond. For `recorded` they are counted from
the end of the flow until the API says of each of its no-ops that it is Completed.
"""

import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
from distributed import Client, LocalCluster
from prefect import flow, task, unmapped
from prefect.cache_policies import NO_CACHE
from prefect.context import get_run_context
from prefect.settings import PREFECT_API_URL
from prefect.task_runners import ThreadPoolTaskRunner

WORKERS = 2
SLEEP = 0.05
HANGS = 600.0  # seconds
LOOPBACK = {
    "dashboard_address": "127.0.0.1:0",
    "worker_dashboard_address": "127.0.0.1:0",
    "host": "127.0.0.1",
}
PROCESSES = {"n_workers": WORKERS, "threads_per_worker": 1, "processes": True, **LOOPBACK}


@task(cache_policy=NO_CACHE, persist_result=False)
def no_op(number: int) -> int:
    """Do nothing."""
    return number


def rest(number: int, _after: int = 0) -> int:
    """Take 50 ms."""
    time.sleep(SLEEP)
    return number


def add(numbers: list[int]) -> int:
    """Add numbers up."""
    return sum(numbers)


resting = task(cache_policy=NO_CACHE, persist_result=False)(rest)
adding = task(cache_policy=NO_CACHE, persist_result=False)(add)


def make(name: str) -> Any:
    """Make a task runner by its name."""
    if name == "threads":
        return ThreadPoolTaskRunner()
    if name == "afterfit":
        from tasks.runner.make import make_runner  # noqa: PLC0415 - only what is measured is there

        return make_runner(WORKERS)
    from prefect_dask import DaskTaskRunner  # noqa: PLC0415 - as above

    return DaskTaskRunner(cluster_kwargs=PROCESSES)


def no_ops(count: int) -> None:
    """Map one task over so many numbers."""
    results = [future.result() for future in no_op.map(range(count))]
    if results != list(range(count)):
        raise RuntimeError("a result is wrong")


def diamond(count: int) -> None:
    """Fan out, reduce, and fan out again: half of the tasks each."""
    half = count // 2
    total = adding.submit(resting.map(range(half)))
    results = [future.result() for future in resting.map(range(half), unmapped(total))]
    if results != list(range(half)):
        raise RuntimeError("a result is wrong")


def bare_diamond(count: int) -> float:
    """Do the same in Dask alone."""
    half = count // 2
    with LocalCluster(**PROCESSES) as cluster, Client(cluster) as client:
        client.submit(rest, -1, pure=False).result()

        begun = time.perf_counter()
        first = client.map(rest, range(half), pure=False)
        total = client.submit(add, first, pure=False)
        second = [client.submit(rest, number, total, pure=False) for number in range(half)]
        client.gather(second)
        return time.perf_counter() - begun


def timed(work: Callable[[int], None], runner: str, count: int) -> tuple[UUID, float]:
    """Do some work in a flow, and time it there; return the flow run too."""

    @flow(task_runner=make(runner), persist_result=False, name="benchmark")
    def whole() -> tuple[UUID, float]:
        no_op.submit(-1).result()
        begun = time.perf_counter()
        work(count)
        seconds = time.perf_counter() - begun
        return get_run_context().flow_run.id, seconds

    return whole()


def recorded(runner: str, count: int) -> float:
    """Run no-ops, and time how much later the API knows them as Completed.

    All of them, and the first one, of which the time is not taken.
    """
    run_id, _ = timed(no_ops, runner, count)
    begun = time.perf_counter()
    url = f"{PREFECT_API_URL.value()}/task_runs/count"
    body = {
        "flow_runs": {"id": {"any_": [str(run_id)]}},
        "task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
    }

    with httpx.Client(timeout=HANGS) as client:
        while client.post(url, json=body).json() <= count:
            if time.perf_counter() - begun > HANGS:
                raise RuntimeError("the API does not know of all tasks")
            time.sleep(0.1)
    return time.perf_counter() - begun


def main(what: str, runner: str, count: int) -> float:
    """Do one of them, and return the seconds."""
    if what == "recorded":
        return recorded(runner, count)
    if runner == "bare":
        return bare_diamond(count)

    work = {"no_ops": no_ops, "diamond": diamond}[what]
    _, seconds = timed(work, runner, count)
    return seconds


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
