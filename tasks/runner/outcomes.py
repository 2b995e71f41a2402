"""What the messages of workers and scheduler mean for the task runs that are pending."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from prefect.states import Crashed

from tasks.core.errors import WorkerLostError
from tasks.runner.health import ClusterHealth
from tasks.runner.inbox import AnyLogger
from tasks.runner.messages import (
    EventsSent,
    Message,
    TaskDone,
    TaskErred,
    WorkerCount,
    WorkerDied,
)
from tasks.runner.pending import PendingRun, PendingRuns
from tasks.runner.sender import Sender


class Outcomes:
    """Reads messages: a run goes on, ends, or is sent again."""

    def __init__(
        self, pending: PendingRuns, sender: Sender, health: ClusterHealth, logger: AnyLogger
    ) -> None:
        """Read messages about these runs; `logger` tells of those that run again."""
        self._pending = pending
        self._sender = sender
        self._health = health
        self._logger = logger

    def read(self, message: Message) -> None:
        """Do what a message asks for; one about a run that is done asks for nothing."""
        self._METHODS[type(message)](self, message)

    def _on_events_sent(self, message: EventsSent) -> None:
        run = self._pending.find(message.key)
        self._pending.emit(run, message.items)

    def _on_task_done(self, message: TaskDone) -> None:
        if run := self._pending.find(message.key):
            self._pending.emit(run, message.items)
            self._pending.finish(run, message.state)

    def _on_task_erred(self, message: TaskErred) -> None:
        if run := self._pending.find(message.key):
            reason = WorkerLostError(f"{run.task.name} {message.reason}")
            self._end_lost(run, reason)

    def _on_worker_count(self, message: WorkerCount) -> None:
        self._health.note_workers(message.count)

    def _on_worker_died(self, message: WorkerDied) -> None:
        run = self._pending.find(message.key)
        if run is None:
            return

        run.count_loss()
        memory = message.near_limit or self._health.ended_for_memory(message.pid)
        reason = reason_of_loss(run, message, memory=memory)
        if memory or not run.may_run_again():
            self._end_lost(run, reason)
            return

        self._logger.warning("%s It runs again.", reason)
        self._pending.rename(run, f"{run.key}-{run.losses}")
        self._sender.send(run)

    def _end_lost(self, run: PendingRun, reason: WorkerLostError) -> None:
        state: Any = Crashed(message=str(reason), data=reason)
        self._pending.end(run, state)

    _METHODS: ClassVar[Mapping[type[Message], Callable[[Any, Any], None]]] = {
        EventsSent: _on_events_sent,
        TaskDone: _on_task_done,
        TaskErred: _on_task_erred,
        WorkerCount: _on_worker_count,
        WorkerDied: _on_worker_died,
    }


def reason_of_loss(run: PendingRun, message: WorkerDied, *, memory: bool) -> WorkerLostError:
    """Return in a sentence how a run lost its worker, the loss counted."""
    told = f"{run.task.name} lost its worker {message.worker}"
    if memory:
        told += f", which had too little memory (when last seen it used {message.used})"
        told += ": start fewer workers"
    elif run.task.retries and not run.may_run_again():
        told += f", the last of {run.losses}: something in it may kill workers"
    return WorkerLostError(f"{told}.", memory=memory)
