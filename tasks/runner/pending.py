"""A task run that is not done."""

from concurrent.futures import Future
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect import Task

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

FREE_LOSSES = 3  # how often a task may lose its worker before it has begun, whatever its retries


@dataclass(eq=False)
class PendingRun:
    """A task run that is not done: `last` is the last event it sent, and each loss of its worker is
    counted.
    """

    key: str
    run_id: UUID
    task: Task[..., Any]
    arguments: dict[str, Any]
    context: Context = field(
        default_factory=copy_context
    )  # of the flow, or of the task, that submitted it
    done: "Future[State[Any]]" = field(default_factory=Future)
    last: Any = None
    begun: bool = False
    lost: int = 0
    lost_unbegun: int = 0

    def may_go_on(self) -> bool:
        """Count a loss, and tell whether it may run again."""
        self.lost += self.begun
        self.lost_unbegun += not self.begun
        self.begun = False
        return self.lost <= self.task.retries and self.lost_unbegun <= FREE_LOSSES
