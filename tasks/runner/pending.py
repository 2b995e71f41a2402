"""The task runs of a flow that are not done, and how they end."""

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect import Task

from tasks.runner import engine
from tasks.runner.messages import Items

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

FREE_LOSSES = 3  # how often a task may lose its worker before it has begun, whatever its retries


@dataclass(eq=False)
class PendingRun:
    """A task run that is not done.

    `context` is that of the flow, or of the task, that submitted it; `last` is the last event it
    sent. `begun` tells whether it has begun on its present worker.
    """

    key: str
    run_id: UUID
    task: Task[..., Any]
    arguments: dict[str, Any]
    context: Context = field(default_factory=copy_context)
    done: "Future[State[Any]]" = field(default_factory=Future)
    last: Any = None
    begun: bool = False
    losses_begun: int = 0
    losses_unbegun: int = 0

    @property
    def losses(self) -> int:
        """Return how many workers it has lost."""
        return self.losses_begun + self.losses_unbegun

    def count_loss(self) -> None:
        """Count a worker that died with it."""
        if self.begun:
            self.losses_begun += 1
        else:
            self.losses_unbegun += 1

        self.begun = False

    def may_run_again(self) -> bool:
        """Return whether its retries, and the losses that cost none, allow another worker."""
        retries_left = self.task.retries - self.losses_begun
        free_losses_left = FREE_LOSSES - self.losses_unbegun
        return retries_left >= 0 and free_losses_left >= 0


class PendingRuns:
    """All task runs of a flow that are not done, by key."""

    def __init__(self, flow_run_id: UUID | None = None) -> None:
        """Begin with none; the flow run is None where tasks are submitted outside of a flow."""
        self._flow_run_id = flow_run_id
        self._runs: dict[str, PendingRun] = {}
        self._ended: set[str] = set()  # ended here: no event of these task runs counts any more

    def add(self, run: PendingRun) -> None:
        """Add a run."""
        self._runs[run.key] = run

    def find(self, key: str) -> PendingRun | None:
        """Return the run of a key; None when it is done."""
        return self._runs.get(key)

    def rename(self, run: PendingRun, key: str) -> None:
        """Give a run the key under which it is sent again."""
        del self._runs[run.key]
        run.key = key
        self._runs[key] = run

    def emit(self, run: PendingRun | None, items: Items) -> None:
        """Pass events and logs on to the API.

        A run may be done when the last ones come of the tasks that it has submitted.
        """
        own_id = str(run.run_id) if run else ""
        for kind, item in items:
            run_id = engine.run_id(item) if kind == engine.EVENT else ""
            if run and run_id == own_id:
                run.last, run.begun = item, True

            if run_id in self._ended:
                continue
            if run:
                run.context.copy().run(engine.emit, kind, item)
            else:
                engine.emit(kind, item)

    def finish(self, run: PendingRun, state: "State[Any]") -> None:
        """Finish a run with its final state, which the API knows."""
        if self._runs.pop(run.key, None):
            run.done.set_result(state)

    def end(self, run: PendingRun, state: "State[Any]") -> None:
        """End a run that cannot tell its end itself."""
        run_id = str(run.run_id)
        self._ended.add(run_id)
        if run.last is not None:
            context = run.context.copy()
            context.run(engine.end, run.last, self._flow_run_id, state)

        self.finish(run, state)

    def end_all(self, make_state: Callable[[], "State[Any]"]) -> None:
        """End all runs, first those that wait for others; each gets a state of its own."""
        runs = list(self._runs.values())
        for run in reversed(runs):
            self.end(run, make_state())
