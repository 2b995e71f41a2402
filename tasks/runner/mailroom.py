"""What the tasks of one worker process have in common."""

import threading
import time
import weakref
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cloudpickle
from distributed import Worker

from tasks.runner import engine
from tasks.runner.messages import Call, Message
from tasks.runner.outbox import Outbox

FLUSH_SECONDS = 1.0  # how late a log or state, other than the first and the last, may come
# The outbox of the task that this context runs; Python wants such variables at the top of a module.
_current: "ContextVar[Outbox | None]" = ContextVar("outbox", default=None)


@dataclass(frozen=True)
class LocalCall:
    """A call of a flow of this very process: nothing has to be sent."""

    context: Context
    arguments: dict[str, Any]
    deliver: Callable[[Message], None]


class Mailroom:
    """Bytes that flows have shared, calls of flows of this process, and the outboxes of tasks."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._shared: dict[str, bytes] = {}
        self._local: dict[str, LocalCall] = {}
        self._lock = threading.Lock()
        self._outboxes: weakref.WeakSet[Outbox] = weakref.WeakSet()
        self._forwards = False
        self.task = lru_cache(maxsize=64)(self._load_task)
        self.context = lru_cache(maxsize=8)(self._enter_context)

    # What flows have shared

    def share(self, name: str, content: bytes) -> None:
        """Keep bytes by a name that begins with the topic of their flow."""
        self._shared[name] = content

    def unshare(self, name: str) -> None:
        """Forget them."""
        self._shared.pop(name, None)

    def _load_task(self, name: str) -> Any:
        return cloudpickle.loads(self._shared[name])

    def _enter_context(self, name: str) -> Context:
        return engine.enter_context(self._shared[name])

    # Calls of flows of this process

    def keep_local(
        self, key: str, arguments: dict[str, Any], deliver: Callable[[Message], None]
    ) -> None:
        """Keep a call for a worker that is a thread of this process."""
        self._local[key] = LocalCall(copy_context(), arguments, deliver)

    def take_local(self, key: str) -> LocalCall | None:
        """Return the call of a key, once; None if the flow is elsewhere, or has ended."""
        return self._local.pop(key, None)

    def drop_local(self, topic: str) -> None:
        """Drop the calls of a flow that has ended."""
        for key in list(self._local):
            if key.startswith(topic):
                self._local.pop(key, None)

    # Outboxes

    def open_outbox(self, call: Call, worker: Worker) -> Outbox:
        """Open the outbox of a call, to which all events and logs of this context go from now."""
        outbox = Outbox(call, worker)
        _current.set(outbox)
        with self._lock:
            self._outboxes.add(outbox)
            if not self._forwards:
                self._start_forwarding()
        return outbox

    def _start_forwarding(self) -> None:
        engine.forward(_put_in_outbox)
        flush = threading.Thread(target=self._flush_for_ever, name="afterfit-outboxes", daemon=True)
        flush.start()
        self._forwards = True

    def _flush_for_ever(self) -> None:
        while True:
            time.sleep(FLUSH_SECONDS)
            with self._lock:
                outboxes = list(self._outboxes)
            for outbox in outboxes:
                outbox.flush()


def _put_in_outbox(kind: str, item: Any) -> None:
    if outbox := _current.get():
        outbox.put(kind, item)


# Dask finds `worker.execute` and the plugins by their names in each worker process, and hands them
# nothing of ours: what they share is found by its name too.
MAILROOM = Mailroom()
