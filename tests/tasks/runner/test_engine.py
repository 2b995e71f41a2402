"""What `tasks.runner.engine` takes for granted of Prefect: an upgrade that breaks one of these says
which.

What changes a process for good (the forwarding of events and logs, an entered context) is tried in
another process.
"""

import pickle
import subprocess
import sys
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import cloudpickle
import pytest
from prefect import allow_failure, flow, get_run_logger, tags, task, unmapped
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import LogFilter
from prefect.client.schemas.objects import TaskRunResult
from prefect.context import FlowRunContext, TagsContext, TaskRunContext
from prefect.futures import PrefectConcurrentFuture
from prefect.states import Completed, Crashed, StateType
from prefect.utilities.annotations import quote

from tasks.runner import engine

HANGS = 60  # seconds; time itself is never asserted


@task
def double(number):
    get_run_logger().info("doubling %s", number)
    return 2 * number


@task(task_run_name="bad luck")
def leave(error):
    raise error


@task
async def double_later(number):
    return 2 * number


def in_another_process(body, *given):
    """Run a function in a fresh process; give what it returns."""
    script = (
        "import sys, pickle, cloudpickle\n"
        "body, given = cloudpickle.loads(sys.stdin.buffer.read())\n"
        "answer = body(*given)\n"
        "sys.stdout.buffer.write(b'ANSWER' + cloudpickle.dumps(answer))\n"
    )
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        sent = cloudpickle.dumps((body, given))
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    done = subprocess.run(
        [sys.executable, "-c", script], input=sent, capture_output=True, check=False, timeout=HANGS
    )
    assert done.returncode == 0, done.stderr.decode()
    return cloudpickle.loads(done.stdout.partition(b"ANSWER")[2])


def in_flow(body, **options):
    """Run a function as a flow; give what it returns."""
    return flow(**options)(body)()


def eventually(look):
    """Ask the API until it has something: events and logs reach it a little later."""
    deadline = time.monotonic() + HANGS
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


# The context


def test_a_packed_context_holds_the_flow_run_in_another_process(servers):
    def seen(packed):
        from prefect.context import FlowRunContext, SyncClientContext, TaskRunContext

        context = engine.enter_context(packed)
        client = context.run(SyncClientContext.get).client
        copied = context.copy().run(SyncClientContext.get).client
        return (
            context.run(FlowRunContext.get).flow_run.id,
            context.run(TaskRunContext.get),
            client is copied,
        )

    def body():
        return FlowRunContext.get().flow_run.id, in_another_process(seen, engine.pack_context())

    run_id, (there, task_there, one_client) = in_flow(body)
    assert (there, task_there, one_client) == (run_id, None, True)


def test_what_differs_from_task_to_task_is_packed_apart(servers):
    @task
    def within():
        return (
            TaskRunContext.get().task_run.id,
            engine.task_context(),
            cloudpickle.loads(engine.pack_context()),
        )

    def body():
        with tags("north"):
            return engine.task_context(), within(), sorted(TagsContext.get().current_tags)

    outside, (run_id, inside, packed), current = in_flow(body)
    assert list(outside) == ["tags_context"]
    assert outside["tags_context"]["current_tags"] == set(current) == {"north"}
    assert inside["task_run_context"]["task_run"]["id"] in {run_id, str(run_id)}
    assert not engine.OF_ONE_TASK & set(packed)
    assert {"flow_run_context", "settings_context"} <= set(packed)


# Running


@pytest.mark.parametrize(
    ("what", "arguments", "kind", "told"),
    [
        (double, {"number": 2}, StateType.COMPLETED, ""),
        (double_later, {"number": 2}, StateType.COMPLETED, ""),
        (leave, {"error": ValueError("no luck")}, StateType.FAILED, "no luck"),
        (leave, {"error": SystemExit(3)}, StateType.CRASHED, "system exit"),
        (leave, {"error": KeyboardInterrupt()}, StateType.CRASHED, "aborted"),
    ],
    ids=["done", "async", "failed", "exited", "interrupted"],
)
def test_whatever_happens_to_a_task_is_a_final_state_with_the_id_it_was_given(
    servers, what, arguments, kind, told
):
    run_id = uuid4()

    def body():
        call = {"parameters": arguments, "wait_for": None, "dependencies": {}, "context": None}
        state = engine.run_task(what, task_run_id=run_id, **call)
        return (
            state.type,
            state.message or "",
            state.state_details.task_run_id,
            engine.has_result(state),
        )

    found, message, of, at_hand = in_flow(body)
    assert (found, at_hand) == (kind, kind is StateType.COMPLETED)
    assert told in message
    assert kind is StateType.CRASHED or of == run_id


# Telling


def forwarded_here(packed, run_id, error=None):
    """Run a task in this process with forwarding; give what was put, and how much of it before the
    task went on.
    """
    items, before = [], []

    @task(task_run_name="far away")
    def far():
        before.extend(items)
        get_run_logger().warning("from afar")
        if error:
            raise error

    engine.forward(lambda kind, item: items.append((kind, item)))
    call = {"parameters": {}, "wait_for": None, "dependencies": {}, "context": None}
    state = engine.enter_context(packed).run(engine.run_task, far, task_run_id=run_id, **call)
    return state, items, len(before)


def test_every_state_and_log_of_another_process_is_put_at_once_and_reaches_the_api_when_it_is_emitted(
    servers,
):
    run_id = uuid4()

    def body():
        state, items, before = in_another_process(forwarded_here, engine.pack_context(), run_id)
        events = [item for kind, item in items if kind == engine.EVENT]
        logs = [item for kind, item in items if kind == engine.LOG]
        unheard = api_of(run_id)
        for kind, item in items:
            engine.emit(kind, item)
        return state, events, logs, before, unheard

    state, events, logs, before, unheard = in_flow(body)
    assert state.is_completed()
    assert [event.event for event in events] == [
        f"{engine.TASK_RUN}{name}" for name in ("Pending", "Running", "Completed")
    ]
    assert {engine.run_id(event) for event in events} == {str(run_id)}
    assert before == 2
    assert next(log["message"] for log in logs) == "from afar"
    assert unheard is None
    assert eventually(lambda: ended(run_id, "COMPLETED"))["name"] == "far away"
    assert eventually(lambda: logs_of(run_id))[0].message == "from afar"


def api_of(run_id: UUID) -> dict[str, Any] | None:
    """Give what the API knows of a task run."""
    with get_client(sync_client=True) as client:
        answer = client.request(
            "POST", "/task_runs/filter", json={"task_runs": {"id": {"any_": [str(run_id)]}}}
        ).json()
    return answer[0] if answer else None


def ended(run_id, state_type):
    run = api_of(run_id)
    return run if run and run["state_type"] == state_type else None


def logs_of(run_id):
    with get_client(sync_client=True) as client:
        return client.read_logs(LogFilter(task_run_id={"any_": [run_id]}))


def test_a_run_that_cannot_tell_its_end_is_ended_after_the_last_event_it_sent(servers):
    run_id = uuid4()

    def body():
        _, items, before = in_another_process(forwarded_here, engine.pack_context(), run_id)
        for kind, item in items[:before]:
            engine.emit(kind, item)
        engine.end(
            items[before - 1][1],
            FlowRunContext.get().flow_run.id,
            Crashed(message="its worker died"),
        )
        return FlowRunContext.get().flow_run.id

    flow_run_id = in_flow(body)
    run = eventually(lambda: ended(run_id, "CRASHED"))
    assert (run["name"], run["flow_run_id"], run["state"]["message"]) == (
        "far away",
        str(flow_run_id),
        "its worker died",
    )
    assert run["end_time"] is not None


# Parameters


@dataclass
class Order:
    """Something of the user's with a future in it."""

    what: Any


def settled(value):
    """Give a future that is done."""
    done = Future()
    done.set_result(Completed(data=value))
    return PrefectConcurrentFuture(uuid4(), done)


def test_futures_are_found_and_replaced_by_their_states_however_deep_they_are(servers):
    one, two, three, four = (settled(number) for number in range(4))
    given = {"a": [one, {"b": (two,)}], "c": Order(what=three), "d": unmapped(four), "e": 5}
    assert engine.futures_in(given) == [one, two, three, four]
    sent = engine.with_states(given)
    assert engine.futures_in(sent) == []
    assert [sent["a"][0].data, sent["a"][1]["b"][0].data, sent["c"].what.data, sent["e"]] == [
        0,
        1,
        2,
        5,
    ]


def test_the_task_runs_that_parameters_come_from_are_their_inputs(servers):
    one, two = settled(1), settled(2)
    other = TaskRunResult(id=uuid4())
    inputs = engine.inputs_of({"a": [one, {"b": two}], "c": 3}, {"c": {other}, "wait_for": {other}})
    assert {name: {run.id for run in runs} for name, runs in inputs.items()} == {
        "a": {one.task_run_id, two.task_run_id},
        "c": {other.id},
        "wait_for": {other.id},
    }


@pytest.mark.parametrize("annotation", [allow_failure, quote])
def test_an_annotation_is_pickled_around_one_value(annotation):
    back = pickle.loads(pickle.dumps(annotation({"a": 1})))  # noqa: S301 - our own
    assert (type(back), back.value) == (annotation, {"a": 1})
