"""Prefect's inside: how a task of a flow run runs in another process, and how its states and logs
come back.

Each function rests on something that Prefect does not promise; `tests/tasks/test_engine.py` holds
it, one test each.
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


def pack_context() -> bytes:
    """Pack the context we are in, but for what differs from task to task: settings, flow run,
    deployment.
    """
    packed: bytes = cloudpickle.dumps(
        {name: of for name, of in serialize_context().items() if name not in OF_ONE_TASK}
    )
    return packed


def task_context() -> dict[str, Any]:
    """Give what differs from task to task: the tags, and the task we are in, where tasks are
    submitted by a task.
    """
    parent, tags = TaskRunContext.get(), TagsContext.get()
    context = {"task_run_context": parent.serialize()} if parent else {}
    return context | ({"tags_context": tags.serialize()} if tags.current_tags else {})


def enter_context(packed: bytes) -> Context:
    """Enter a packed context for good, with one client of the API; tasks run in copies of it."""
    fields = cloudpickle.loads(packed)

    def enter() -> None:
        stack = ExitStack()
        stack.enter_context(hydrated_context({"settings_context": fields.pop("settings_context")}))
        stack.enter_context(SyncClientContext.get_or_create())
        stack.enter_context(hydrated_context(fields))
        atexit.register(context.run, stack.close)  # not before: tasks run in copies of the context

    context = Context()
    context.run(enter)
    return context


def run_task(task: Task[..., Any], **arguments: Any) -> State[Any]:
    """Run a task to its final state, with retries and all else the engine does; whatever happens is
    a state.
    """
    try:
        if task.isasync:
            state: Any = asyncio.run(
                cast("Any", run_task_async(task, return_type="state", **arguments))
            )
        else:
            state = run_task_sync(task, return_type="state", **arguments)
        return cast("State[Any]", state)
    except BaseException as error:  # noqa: BLE001 - a task that exits or is interrupted ends its run, not the worker
        return exception_to_crashed_state_sync(error)


def forward(put: Callable[[str, Any], None]) -> None:
    """Hand the events and logs of this process to `put`, with their kind, in place of the API."""
    EventsWorker.set_client_override(ProcessPoolForwardingEventsClient, event_queue=None)
    # What Prefect does for its own process pool, but at once: an event is with the flow before its
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
    """Give the id of the task run that an event is about."""
    return event.resource.id.removeprefix(TASK_RUN)


def end(last: Event, flow_run_id: UUID | None, state: State[Any]) -> None:
    """Tell the API the final state of a task run that cannot tell it itself, after the last event
    it sent.
    """
    run = TaskRun.model_validate(
        {"id": run_id(last), "flow_run_id": flow_run_id, **last.payload["task_run"]}
    )
    before = State.model_validate(last.payload["validated_state"] | {"timestamp": last.occurred})
    state.state_details.task_run_id, state.state_details.flow_run_id = run.id, run.flow_run_id
    run.state, run.end_time = state, cast("Any", state.timestamp)
    emit_task_run_state_change_event(run, before, state, follows=last)


def has_result(state: State[Any]) -> bool:
    """Tell whether a final state holds a result that need not be read from anywhere."""
    return state.is_completed() and isinstance(state.data, ResultRecord)


def inputs_of(
    parameters: dict[str, Any], dependencies: dict[str, set[RunInput]] | None
) -> dict[str, set[RunInput]]:
    """Return the task runs that parameters come from, by name, and other dependencies."""
    inputs: dict[str, set[RunInput]] = {}
    for name, value in parameters.items():
        inputs[name] = set(collect_task_run_inputs_sync(value))
    for name, more in (dependencies or {}).items():
        inputs.setdefault(name, set()).update(more)
    return inputs


def futures_in(*expressions: Any) -> list[PrefectFuture[Any]]:
    """Find the futures in parameters, however deep."""
    found: list[PrefectFuture[Any]] = []

    def look(expression: Any) -> Any:
        if isinstance(expression, PrefectFuture):
            found.append(expression)
        return expression

    visit_collection(list(expressions), visit_fn=look, return_data=False)
    return found


def with_states(expression: Any) -> Any:
    """Put the final state of each future in its place: what a task can be sent."""

    def settle(found: Any) -> Any:
        if not isinstance(found, PrefectFuture):
            return found
        found.wait()
        return found.state

    return visit_collection(expression, visit_fn=settle, return_data=True)
