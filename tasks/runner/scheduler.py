"""The plugin of the scheduler: each task of a flow runs at most once."""

from typing import Any

from dask.utils import format_bytes
from distributed import KilledWorker, Scheduler
from distributed.diagnostics.plugin import SchedulerPlugin
from distributed.scheduler import WorkerState

from tasks.runner import dask_inside
from tasks.runner.dask_inside import ERRED, PROCESSING, RELEASED, WAITING
from tasks.runner.messages import Message, TaskErred, WorkerCount, WorkerDied, pack, topic_of

# A worker that dies while it uses more than this share of its memory limit is taken to have died
# of it.
NEAR_LIMIT = 0.7


class RunOnceGuard(SchedulerPlugin):
    """Has the scheduler run each task of a flow at most once, and tells the flow what it lost."""

    def __init__(self, client: str) -> None:
        """Guard the tasks of a client's flow; they are dropped when the client goes."""
        self.name = self.topic = topic_of(client)
        self.client = client
        self.at: dict[str, WorkerState | None] = {}  # where each task is
        self.scheduler: Scheduler

    async def start(self, scheduler: Scheduler) -> None:
        """Begin to guard."""
        self.scheduler = scheduler
        self.add_worker(scheduler, "")

    def add_worker(self, scheduler: Scheduler, worker: str) -> None:  # noqa: ARG002 - Dask gives it
        """Tell how many workers there are."""
        self._tell(WorkerCount(len(scheduler.workers)))

    def remove_worker(self, scheduler: Scheduler, worker: str, **_: Any) -> None:
        """Tell how many workers are left."""
        self.add_worker(scheduler, worker)

    def transition(self, key: Any, start: str, finish: str, *_: Any, **details: Any) -> None:
        """Keep a new task until it is done; give one up with its worker, and tell of it."""
        if not str(key).startswith(self.topic):
            return

        if start == RELEASED and finish == WAITING:
            dask_inside.keep_until_done(self.scheduler, key)
        elif finish == PROCESSING:
            self.at[key] = dask_inside.give_up_with_its_worker(self.scheduler, key)
        elif finish == ERRED:
            self._tell(reason_of_loss(key, details, self.at.get(key)))

        if start == PROCESSING:
            self.at.pop(key, None)

    def log_event(self, topic: str, msg: Any) -> None:  # noqa: ARG002 - Dask gives it
        """Keep no event that has been sent on."""
        if topic == self.topic:
            dask_inside.forget_events(self.scheduler, topic)

    def remove_client(self, scheduler: Scheduler, client: str) -> None:
        """Drop the tasks of a flow that has gone, and whatever it has left on the workers."""
        if client != self.client:
            return

        dask_inside.drop_kept(scheduler, self.topic)
        dask_inside.drop_worker_plugins(scheduler, self.topic)
        scheduler.remove_plugin(self.name)

    def _tell(self, message: Message) -> None:
        self.scheduler.log_event(self.topic, pack(message))


def reason_of_loss(
    key: str, details: dict[str, Any], worker: WorkerState | None
) -> WorkerDied | TaskErred:
    """Return why the scheduler gave a task up: its worker died, or something else."""
    error = dask_inside.exception_of(details)
    if not (isinstance(error, KilledWorker) and worker):
        text = details.get("exception_text") or error or "the scheduler gave it up"
        return TaskErred(key, f"could not be run: {text}")

    used, limit = dask_inside.memory_of(worker)
    told = format_bytes(used)
    if limit:
        told = f"{told} of {format_bytes(limit)}"
    return WorkerDied(
        key,
        worker=worker.address,
        pid=worker.pid,
        near_limit=bool(limit) and used > NEAR_LIMIT * limit,
        used=told,
    )
