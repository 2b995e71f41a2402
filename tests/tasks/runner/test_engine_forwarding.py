"""What `tasks.runner.engine` takes for granted of Prefect: how another process tells the API.

An upgrade that breaks one of these says which. Forwarding changes a process for good, so it is
tried in another process.
"""

from uuid import uuid4

import pytest
from prefect import flow, get_run_logger, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import LogFilter
from prefect.context import FlowRunContext
from prefect.states import Crashed

from tasks.runner import engine


def run_and_forward(packed, run_id):
    """Run a task in this process, with forwarding.

    Return its state, what was forwarded, and how much of that before the task went on.
    """
    items, before = [], []

    @task(task_run_name="far away")
    def far():
        before.extend(items)
        get_run_logger().warning("from afar")

    engine.forward(lambda kind, item: items.append((kind, item)))
    call = {"parameters": {}, "wait_for": None, "dependencies": {}, "context": None}
    context = engine.enter_context(packed)
    state = context.run(engine.run_task, far, task_run_id=run_id, **call)
    return state, items, len(before)


def of_kind(kind, items):
    return [item for of, item in items if of == kind]


def run_in_api(run_id):
    """Return what the API knows of a task run."""
    question = {"task_runs": {"id": {"any_": [str(run_id)]}}}
    with get_client(sync_client=True) as client:
        answer = client.request("POST", "/task_runs/filter", json=question).json()
    return answer[0] if answer else None


@pytest.fixture
def known_as(eventually):
    """Wait until the API knows a run in a state, and return it."""

    def wait_for(run_id, state_type):
        def look():
            run = run_in_api(run_id)
            return run if run and run["state_type"] == state_type else None

        return eventually(look)

    return wait_for


@pytest.fixture
def emit_one_by_one(known_as):
    """Emit what was forwarded; each event when the API knows the state before it.

    Prefect's server may put an event aside, for a quarter of an hour, that arrives just when it has
    recorded the one before.
    """

    def emit(items, run_id):
        for kind, item in items:
            engine.emit(kind, item)
            if kind == engine.EVENT:
                known_as(run_id, item.event.removeprefix(engine.TASK_RUN).upper())

    return emit


def logs_in_api(run_id):
    with get_client(sync_client=True) as client:
        return client.read_logs(LogFilter(task_run_id={"any_": [run_id]}))


def test_states_and_logs_of_another_process_reach_the_api_when_they_are_emitted(
    servers, in_another_process, emit_one_by_one, known_as, eventually
):
    """Each is forwarded at once: two of the events before the task has begun."""
    run_id = uuid4()

    @flow
    def body():
        packed = engine.pack_context()
        state, items, before = in_another_process(run_and_forward, packed, run_id)
        unheard = run_in_api(run_id)
        emit_one_by_one(items, run_id)
        return state, items, before, unheard

    state, items, before, unheard = body()
    assert state.is_completed()
    assert (before, unheard) == (2, None)

    events = of_kind(engine.EVENT, items)
    names = [event.event.removeprefix(engine.TASK_RUN) for event in events]
    assert names == ["Pending", "Running", "Completed"]
    assert {engine.run_id(event) for event in events} == {str(run_id)}
    assert of_kind(engine.LOG, items)[0]["message"] == "from afar"

    assert known_as(run_id, "COMPLETED")["name"] == "far away"
    assert eventually(lambda: logs_in_api(run_id))[0].message == "from afar"


def test_a_run_that_cannot_tell_its_end_is_ended_after_the_last_event_it_sent(
    servers, in_another_process, emit_one_by_one, known_as
):
    run_id = uuid4()

    @flow
    def body():
        packed = engine.pack_context()
        _, items, before = in_another_process(run_and_forward, packed, run_id)
        emit_one_by_one(items[:before], run_id)
        _, last = items[before - 1]
        flow_run_id = FlowRunContext.get().flow_run.id
        engine.end(last, flow_run_id, Crashed(message="its worker died"))
        return flow_run_id

    flow_run_id = body()
    run = known_as(run_id, "CRASHED")
    told = run["name"], run["flow_run_id"], run["state"]["message"]
    assert told == ("far away", str(flow_run_id), "its worker died")
    assert run["end_time"] is not None
