"""Tasks on Dask's workers: each runs once, and what it gives comes back by itself.

A result that waits on a worker is lost with it, and Dask would then run a finished task again. So a
worker sends the result, and every state and log before it, through the scheduler to the flow, and
Dask keeps nothing: the scheduler drops a task when it is done, and gives one up when its worker
dies. What then happens is for the flow to decide.
"""

import threading
import time
import weakref
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from functools import lru_cache
from typing import Any

import cloudpickle
from distributed import Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from tasks.runner import dask_inside, engine
from tasks.runner.messages import Call, EventsSent, Items, Message, TaskDone, pack

Put = Callable[[Message], None]
FLUSH_SECONDS = 1.0  # how late a log or state, other than the first and the last, may come
_local: dict[str, "tuple[Context, dict[str, Any], Put]"] = {}  # calls of flows of this very process
_shared: dict[str, bytes] = {}
_outbox: "ContextVar[Outbox | None]" = ContextVar("outbox", default=None)
_outboxes: "weakref.WeakSet[Outbox]" = weakref.WeakSet()
_opening = threading.Lock()


def execute(call: Call) -> None:
    """Run a task on a worker, and send its final state."""
    if call.key in _local:  # the flow is in this process: nothing has to be sent
        context, arguments, put = _local.pop(call.key)
        dask_inside.know_worker(context)
        state = context.run(engine.run_task, **arguments)
        put(TaskDone(call.key, state, items=[]))
        return
    context = _entered(call.context).copy()
    dask_inside.know_worker(context)
    context.run(_run, call)


def _run(call: Call) -> None:
    outbox = Outbox(call, get_worker())
    _outbox.set(outbox)
    _start_forwarding()
    outbox.done(engine.run_task(task=_loaded(call.task), **cloudpickle.loads(call.arguments)))


class Outbox:
    """What a task has to tell its flow: that it runs at once, its final state with all before it,
    the rest each second.

    The states of tasks that it has submitted are among it; they may come after its own final state.
    """

    def __init__(self, call: Call, worker: Worker) -> None:
        """Speak for a call on a worker."""
        self.call, self.worker = call, worker
        self.lock = threading.Lock()
        self.items: Items = []
        with _opening:
            _outboxes.add(self)

    def put(self, kind: str, item: Any) -> None:
        """Take an event or a log."""
        with self.lock:
            self.items.append((kind, item))
        if kind == engine.EVENT and item.event.endswith(".Running"):
            self.flush()

    def flush(self) -> None:
        """Send what is there."""
        if items := self._taken():
            self._send(EventsSent(self.call.key, items))

    def done(self, state: Any) -> None:
        """Send the final state, with all that came before."""
        self._send(TaskDone(self.call.key, state, self._taken()))

    def _taken(self) -> Items:
        with self.lock:
            items, self.items = self.items, []
        return items

    def _send(self, message: Message) -> None:
        self.worker.log_event(self.call.topic, pack(message))


def keep_local(key: str, arguments: dict[str, Any], put: Put) -> None:
    """Keep a call for a worker that is a thread of this process; it hands the final state to
    `put`.
    """
    _local[key] = copy_context(), arguments, put


@lru_cache(maxsize=64)
def _loaded(name: str) -> Any:
    return cloudpickle.loads(_shared[name])


@lru_cache(maxsize=8)
def _entered(name: str) -> Context:
    return engine.enter_context(_shared[name])


@lru_cache(maxsize=1)
def _start_forwarding() -> None:
    engine.forward(_put)
    threading.Thread(target=_flush_for_ever, name="afterfit-outboxes", daemon=True).start()


def _flush_for_ever() -> None:
    while True:
        time.sleep(FLUSH_SECONDS)
        with _opening:
            outboxes = list(_outboxes)
        for outbox in outboxes:
            outbox.flush()


def _put(kind: str, item: Any) -> None:
    if outbox := _outbox.get():
        outbox.put(kind, item)


class SharedBytes(WorkerPlugin):
    """Bytes that every worker has, also one that comes later: a pickled task, or a context."""

    idempotent = True

    def __init__(self, name: str, content: bytes) -> None:
        """SharedBytes this content under a name, which begins with the topic of its flow."""
        self.name, self.content = name, content

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - Dask gives it
        """Take the content."""
        _shared[self.name] = self.content

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - the same
        """Forget it."""
        _shared.pop(self.name, None)
