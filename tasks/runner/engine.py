"""Prefect's inside: how a task of a flow run runs in another process, and what comes back.

Each function rests on something that Prefect does not promise;
`tests/tasks/runner/test_engine*.py` hold it, one test each.
"""

import asyncio
import atexit
import copyreg
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import Context
from typing import Any, cast
from uuid import UUID

import cloudpickle
from prefect import Task, allow_failure
from prefect._internal.result_records import ResultRecord
from prefect._internal.states import exception_to_crashed_state_sync
from prefect.client.schemas.objects import RunInput, State, TaskRun
from prefect.context import (
    SyncClientContext,
    TagsContext,
    TaskRunContext,
    hydrated_context,
    serialize_context,
)
from prefect.events.schemas.events import Event
from prefect.events.worker import EventsWorker, ProcessPoolForwardingEventsClient
from prefect.futures import PrefectFuture
from prefect.logging.handlers import emit_api_log, set_api_log_sink
from prefect.task_engine import run_task_async, run_task_sync
from prefect.utilities.annotations import quote
from prefect.utilities.collections import visit_collection
from prefect.utilities.engine import collect_task_run_inputs_sync, emit_task_run_state_change_event

for _annotation in (allow_failure, quote):  # a pickled one comes back around a tuple
    copyreg.pickle(_annotation, lambda found: (type(found), (found.value,)))


EVENT, LOG = "event", "log"
TASK_RUN = "prefect.task-run."
OF_ONE_TASK = {"task_run_context", "tags_context", "asset_context"}


# The context


def pack_context() -> bytes:
    """Pack what all tasks of a flow share of its context: settings, flow run, deployment."""
    fields = serialize_context()
    shared = {name: field for name, field in fields.items() if name not in OF_ONE_TASK}
    packed: bytes = cloudpickle.dumps(shared)
    return packed


def task_context() -> dict[str, Any]:
    """Return the rest: the tags, and the task that we are in where tasks submit tasks."""
    context = {}
    if parent := TaskRunContext.get():
        context["task_run_context"] = parent.serialize()

    tags = TagsContext.get()
    if tags.current_tags:
        context["tags_context"] = tags.serialize()
    return context


def enter_context(packed: bytes) -> Context:
    """Enter a packed context for good, with one client of the API; tasks run in copies of it."""
    fields = cloudpickle.loads(packed)

    def enter() -> None:
        settings = {"settings_context": fields.pop("settings_context")}
        stack = ExitStack()
        stack.enter_context(hydrated_context(settings))
        stack.enter_context(SyncClientContext.get_or_create())
        stack.enter_context(hydrated_context(fields))
        atexit.register(context.run, stack.close)  # not before: tasks run in copies of the context

    context = Context()
    context.run(enter)
    return context


# Running


def run_task(task: Task[..., Any], **arguments: Any) -> State[Any]:
    """Run a task as the engine does, with retries; whatever happens to it is its final state."""
    try:
        if task.isasync:
            running = run_task_async(task, return_type="state", **arguments)
            return cast("State[Any]", asyncio.run(cast("Any", running)))
        return cast("State[Any]", run_task_sync(task, return_type="state", **arguments))
    except BaseException as error:  # noqa: BLE001 - a task that exits ends its run, not the worker
        return exception_to_crashed_state_sync(error)


def has_result(state: State[Any]) -> bool:
    """Return whether a final state holds a result that need not be read from anywhere."""
    return state.is_completed() and isinstance(state.data, ResultRecord)


# Telling


def forward(put: Callable[[str, Any], None]) -> None:
    """Hand the events and logs of this process to `put`, with their kind, in place of the API."""
    EventsWorker.set_client_override(ProcessPoolForwardingEventsClient, event_queue=None)
    # As Prefect does for its own process pool, but at once: an event is with the flow before its
    # task goes on.
    EventsWorker.instance().send = lambda item: put(EVENT, item)  # type: ignore[method-assign]
    set_api_log_sink(lambda log: put(LOG, log))


def emit(kind: str, item: Any) -> None:
    """Send what another process has forwarded to the API."""
    if kind == LOG:
        emit_api_log(item)
    else:
        EventsWorker.instance().send(item)


def run_id(event: Event) -> str:
    """Return the id of the task run that an event is about."""
    return event.resource.id.removeprefix(TASK_RUN)


def end(last: Event, flow_run_id: UUID | None, state: State[Any]) -> None:
    """Tell the API the final state of a task run that cannot do so, after the last event it sent.

    Writes the ids of the run into the state.
    """
    ids = {"id": run_id(last), "flow_run_id": flow_run_id}
    run = TaskRun.model_validate({**ids, **last.payload["task_run"]})
    validated = last.payload["validated_state"]
    before = State.model_validate({**validated, "timestamp": last.occurred})

    state.state_details.task_run_id = run.id
    state.state_details.flow_run_id = run.flow_run_id
    run.state = state
    run.end_time = cast("Any", state.timestamp)
    emit_task_run_state_change_event(run, before, state, follows=last)


# Parameters


def inputs_of(
    parameters: dict[str, Any], dependencies: dict[str, set[RunInput]] | None
) -> dict[str, set[RunInput]]:
    """Return the task runs that parameters come from, by name, and other dependencies."""
    inputs: dict[str, set[RunInput]] = {}
    for name, value in parameters.items():
        found = collect_task_run_inputs_sync(value)
        inputs[name] = set(found)

    if dependencies:
        for name, more in dependencies.items():
            known = inputs.setdefault(name, set())
            known.update(more)
    return inputs


def futures_in(*expressions: Any) -> list[PrefectFuture[Any]]:
    """Return the futures in parameters, however deep."""
    found: list[PrefectFuture[Any]] = []

    def collect(expression: Any) -> Any:
        if isinstance(expression, PrefectFuture):
            found.append(expression)
        return expression

    visit_collection(list(expressions), visit_fn=collect, return_data=False)
    return found


def with_states(expression: Any) -> Any:
    """Return parameters with the final state of each future in its place, as a task takes them."""

    def settle(found: Any) -> Any:
        if not isinstance(found, PrefectFuture):
            return found
        found.wait()
        return found.state

    return visit_collection(expression, visit_fn=settle, return_data=True)
