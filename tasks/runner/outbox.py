"""What a task on a worker has to tell its flow."""

import threading
from typing import Any

from distributed import Worker

from tasks.runner import engine
from tasks.runner.messages import Call, EventsSent, Items, Message, TaskDone, pack


class Outbox:
    """Messages from a task to its flow: Running at once, the rest once a second or at the end.

    The states of tasks that it has submitted are among them; they may come after its own last one.
    """

    def __init__(self, call: Call, worker: Worker) -> None:
        """Speak for a call on a worker."""
        self._call = call
        self._worker = worker
        self._lock = threading.Lock()
        self._items: Items = []
        self._sending = threading.Lock()  # what was put first is sent first, whoever sends it

    def put(self, kind: str, item: Any) -> None:
        """Take an event or a log."""
        with self._lock:
            self._items.append((kind, item))
        if kind == engine.EVENT and item.event.endswith(".Running"):
            self.flush()

    def flush(self) -> None:
        """Send what is there."""
        with self._sending:
            if items := self._take_items():
                self._send(EventsSent(self._call.key, items))

    def close(self, state: Any) -> None:
        """Send the final state, after all that came before."""
        with self._sending:
            items = self._take_items()
            self._send(TaskDone(self._call.key, state, items))

    def _take_items(self) -> Items:
        with self._lock:
            items = self._items
            self._items = []
        return items

    def _send(self, message: Message) -> None:
        packed = pack(message)
        self._worker.log_event(self._call.topic, packed)
