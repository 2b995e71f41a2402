"""The Dask task runner under thousands of tasks: all of them end, the API knows it, and the
scheduler forgets them.
"""

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
MIB_PER_1000 = 5


@task
def same(number):
    return number


@pytest.mark.slow
def test_3000_tasks_are_all_completed_in_the_api_and_the_scheduler_keeps_none(
    servers, start_dask, free_port
):
    port = free_port()
    scheduler = psutil.Process(start_dask("scheduler", "--port", port).pid)
    for _ in range(2):
        start_dask("worker", f"tcp://127.0.0.1:{port}")

    @flow(task_runner=make_runner(cluster=f"tcp://127.0.0.1:{port}"))
    def body():
        assert same.map(range(WARM_UP)).result() == list(range(WARM_UP))
        grown.append(psutil.Process(pid).memory_info().rss)
        assert same.map(range(TASKS)).result() == list(range(TASKS))
        grown.append(psutil.Process(pid).memory_info().rss)

    grown, pid = [], scheduler.pid
    state = body(return_state=True)
    assert state.is_completed()
    assert grown[1] - grown[0] <= MIB_PER_1000 * TASKS / 1000 * 2**20
    assert completed(state.state_details.flow_run_id, WARM_UP + TASKS) == WARM_UP + TASKS


def completed(flow_run_id, expected):
    """Count the task runs of a flow run that the API says are Completed, once it says so of so
    many.
    """
    of_flow = FlowRunFilter(id={"any_": [flow_run_id]})
    done = TaskRunFilter(state={"type": {"any_": [StateType.COMPLETED]}})
    deadline = time.monotonic() + HANGS
    with get_client(sync_client=True) as client:
        while (found := count(client, of_flow, done)) != expected and time.monotonic() < deadline:
            time.sleep(0.5)
    return found


def count(client, of_flow, done):
    body = {"flow_runs": of_flow.model_dump(mode="json"), "task_runs": done.model_dump(mode="json")}
    return client.request("POST", "/task_runs/count", json=body).json()
