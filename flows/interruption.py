"""Interruption: stop the windows that threads are scoring for a flow that was stopped.

Signals reach the main thread alone. A flow's threads inherit its context, and look there.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tasks.core.errors import AfterfitError

_stopped: ContextVar[threading.Event | None] = ContextVar("stopped", default=None)


@contextmanager
def interruptible() -> Iterator[None]:
    """Stop the tasks that are submitted in the body when the body fails.

    It may be interrupted on the command line, or its flow run be cancelled.
    """
    event = threading.Event()
    token = _stopped.set(event)
    try:
        yield
    except BaseException:
        event.set()
        raise
    finally:
        _stopped.reset(token)


def check_not_interrupted() -> None:
    """Stop if the flow that submitted this task was stopped.

    Raises:
        AfterfitError: it was.
    """
    event = _stopped.get()
    if event is not None and event.is_set():
        raise AfterfitError("interrupted")
