"""The Dask task runner under thousands of tasks: all end, and the scheduler forgets them."""

import time

import psutil
import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter
from prefect.client.schemas.objects import StateType

from tasks.runner.make import make_runner

HANGS = 120  # seconds; time itself is never asserted
WARM_UP, TASKS = 500, 3000
BYTES_PER_1000 = 5 * 2**20


@task
def same(number):
    return number


@pytest.mark.slow
def test_3000_tasks_end_completed_in_the_api_and_the_scheduler_keeps_none(
    servers, start_dask, free_port
):
    port = free_port()
    scheduler = psutil.Process(start_dask("scheduler", "--port", port).pid)
    for _ in range(2):
        start_dask("worker", f"tcp://127.0.0.1:{port}")
    sizes, pid = [], scheduler.pid

    @flow(task_runner=make_runner(cluster=f"tcp://127.0.0.1:{port}"))
    def body():
        for count in (WARM_UP, TASKS):
            numbers = list(range(count))
            assert same.map(numbers).result() == numbers
            sizes.append(psutil.Process(pid).memory_info().rss)

    state = body(return_state=True)
    assert state.is_completed()
    after_warm_up, at_the_end = sizes
    assert at_the_end - after_warm_up <= BYTES_PER_1000 * TASKS / 1000
    expected = WARM_UP + TASKS
    assert count_completed(state.state_details.flow_run_id, expected) == expected


def count_completed(flow_run_id, expected):
    """Return how many task runs of a flow run the API says are Completed.

    It is asked until it says so of as many as expected.
    """
    of_flow = FlowRunFilter(id={"any_": [flow_run_id]})
    completed = TaskRunFilter(state={"type": {"any_": [StateType.COMPLETED]}})
    question = {
        "flow_runs": of_flow.model_dump(mode="json"),
        "task_runs": completed.model_dump(mode="json"),
    }
    deadline = time.monotonic() + HANGS
    with get_client(sync_client=True) as client:
        while True:
            found = client.request("POST", "/task_runs/count", json=question).json()
            if found == expected or time.monotonic() > deadline:
                return found
            time.sleep(0.5)
