"""The messages that come to a flow, which one thread reads."""

import queue
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from logging import Logger, LoggerAdapter
from typing import Any

from tasks.runner.messages import Message, Packed, unpack

IDLE_SECONDS = 0.5  # after so long without a message, it is checked whether any can come

AnyLogger = Logger | LoggerAdapter[Any]


class Inbox:
    """Takes messages from the workers and the scheduler, and has them read one by one."""

    def __init__(self, logger: AnyLogger) -> None:
        """Tell this logger of what goes wrong as messages are read."""
        self._logger = logger
        self._arrived: queue.SimpleQueue[Packed | Message | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, arrived: Packed | Message) -> None:
        """Take a message, which only threads of this process put unpacked."""
        self._arrived.put(arrived)

    def start(self, read: Callable[[Message], None], when_idle: Callable[[], None]) -> None:
        """Start to read; `when_idle` is called twice a second while there is no message."""
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._read_all, read, when_idle), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Read what has arrived, and no more."""
        self._arrived.put(None)
        if self._thread:
            self._thread.join()

    def _read_all(self, read: Callable[[Message], None], when_idle: Callable[[], None]) -> None:
        while True:
            try:
                arrived = self._arrived.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                self._attempt(when_idle, "The cluster could not be checked")
                continue
            if arrived is None:
                return
            self._attempt(partial(_read, arrived, read), "A message of a worker could not be read")

    def _attempt(self, act: Callable[[], None], complaint: str) -> None:
        try:
            act()
        except Exception:
            self._logger.exception(complaint)


def _read(arrived: Packed | Message, read: Callable[[Message], None]) -> None:
    message = unpack(arrived) if isinstance(arrived, dict) else arrived
    read(message)
