"""What `tasks.runner.engine` takes for granted of Prefect: contexts, running, parameters.

An upgrade that breaks one of these says which. What changes a process for good (an entered context)
is tried in another process.
"""

import pickle
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import cloudpickle
import pytest
from prefect import allow_failure, flow, tags, task, unmapped
from prefect.client.schemas.objects import TaskRunResult
from prefect.context import FlowRunContext, TagsContext, TaskRunContext
from prefect.futures import PrefectConcurrentFuture
from prefect.states import Completed, StateType
from prefect.utilities.annotations import quote

from tasks.runner import engine


@task
def double(number):
    return 2 * number


@task(task_run_name="bad luck")
def leave(error):
    raise error


@task
async def double_later(number):
    return 2 * number


# The context


def test_a_packed_context_holds_the_flow_run_in_another_process(servers, in_another_process):
    def look(packed):
        from prefect.context import FlowRunContext, SyncClientContext, TaskRunContext

        context = engine.enter_context(packed)
        client = context.run(SyncClientContext.get).client
        copied = context.copy().run(SyncClientContext.get).client
        flow_run_id = context.run(FlowRunContext.get).flow_run.id
        return flow_run_id, context.run(TaskRunContext.get), client is copied

    @flow
    def body():
        packed = engine.pack_context()
        return FlowRunContext.get().flow_run.id, in_another_process(look, packed)

    flow_run_id, seen = body()
    assert seen == (flow_run_id, None, True)


def test_what_differs_from_task_to_task_is_packed_apart(servers):
    @task
    def within():
        run_id = TaskRunContext.get().task_run.id
        return run_id, engine.task_context(), cloudpickle.loads(engine.pack_context())

    @flow
    def body():
        with tags("north"):
            current = TagsContext.get().current_tags
            return engine.task_context(), within(), set(current)

    outside, (run_id, inside, packed), current = body()
    assert list(outside) == ["tags_context"]
    assert outside["tags_context"]["current_tags"] == current == {"north"}
    assert str(inside["task_run_context"]["task_run"]["id"]) == str(run_id)
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

    @flow
    def body():
        call = {"parameters": arguments, "wait_for": None, "dependencies": {}, "context": None}
        state = engine.run_task(what, task_run_id=run_id, **call)
        found = state.type, state.message or "", state.state_details.task_run_id
        return *found, engine.has_result(state)

    found, message, of, at_hand = body()
    assert (found, at_hand) == (kind, kind is StateType.COMPLETED)
    assert told in message
    assert kind is StateType.CRASHED or of == run_id


# Parameters


@dataclass
class Order:
    """Something of the user's with a future in it."""

    what: Any


def settled(value):
    """Return a future that is done."""
    done = Future()
    done.set_result(Completed(data=value))
    return PrefectConcurrentFuture(uuid4(), done)


def test_futures_are_found_and_replaced_by_their_states_however_deep_they_are(servers):
    futures = [settled(number) for number in range(4)]
    one, two, three, four = futures
    given = {
        "a": [one, {"b": (two,)}],
        "c": Order(what=three),
        "d": unmapped(four),
        "e": 5,
    }
    assert engine.futures_in(given) == futures

    sent = engine.with_states(given)
    assert engine.futures_in(sent) == []
    first, nested = sent["a"]
    (second,) = nested["b"]
    states = [first, second, sent["c"].what, sent["d"].value]
    assert [state.data for state in states] == [0, 1, 2, 3]
    assert sent["e"] == 5


def test_the_task_runs_that_parameters_come_from_are_their_inputs(servers):
    one, two = settled(1), settled(2)
    other = TaskRunResult(id=uuid4())
    parameters = {"a": [one, {"b": two}], "c": 3}
    dependencies = {"c": {other}, "wait_for": {other}}
    inputs = engine.inputs_of(parameters, dependencies)
    ids = {name: {run.id for run in runs} for name, runs in inputs.items()}
    assert ids == {
        "a": {one.task_run_id, two.task_run_id},
        "c": {other.id},
        "wait_for": {other.id},
    }


@pytest.mark.parametrize("annotation", [allow_failure, quote])
def test_an_annotation_is_pickled_around_one_value(annotation):
    pickled = pickle.dumps(annotation({"a": 1}))
    back = pickle.loads(pickled)  # noqa: S301 - our own
    assert (type(back), back.value) == (annotation, {"a": 1})
