"""A runner at work: one flow on one cluster, from the first task to the end of the flow."""

from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from distributed import Client
from prefect import Task
from prefect.client.schemas.objects import RunInput
from prefect.futures import PrefectFuture
from prefect.states import Cancelled, Crashed

from tasks.core.errors import WorkerLostError
from tasks.runner import engine
from tasks.runner.dask_inside import is_in_process
from tasks.runner.future import DaskFuture, when_done
from tasks.runner.health import ClusterHealth
from tasks.runner.inbox import AnyLogger, Inbox
from tasks.runner.messages import Packed, topic_of
from tasks.runner.outcomes import Outcomes
from tasks.runner.pending import PendingRun, PendingRuns
from tasks.runner.scheduler import RunOnceGuard
from tasks.runner.sender import Sender


class Session:
    """Submits task runs, and knows how each of them ends.

    What a worker has to tell comes to the inbox: states, logs and results from the workers, the
    loss of a task or of all workers from the scheduler. One thread reads it, and one sends calls.
    """

    def __init__(
        self, client: Client, own_cluster: Any, flow_run_id: UUID | None, logger: AnyLogger
    ) -> None:
        """Prepare to work on the cluster of a client; `own_cluster` is None if it is not ours."""
        self.client = client
        self._topic = topic_of(client.id)
        self._in_process = is_in_process(client)
        self._ends = False
        self._pending = PendingRuns(flow_run_id)
        self._inbox = Inbox(logger)
        self._sender = Sender(client, self._pending, self._inbox.put)
        self._health = ClusterHealth(client, own_cluster)
        self._outcomes = Outcomes(self._pending, self._sender, self._health, logger)

    def start(self) -> None:
        """Hear the workers, have the scheduler run each task once, and start the threads."""
        self.client.subscribe_topic(self._topic, self._take_event)  # type: ignore[no-untyped-call]
        guard = RunOnceGuard(self.client.id)
        self.client.register_plugin(guard)

        self._sender.start()
        self._inbox.start(self._outcomes.read, self._check_cluster_alive)

    def _take_event(self, event: tuple[float, Packed]) -> None:
        _, packed = event
        self._inbox.put(packed)

    def stop_sending(self) -> None:
        """Send nothing more; the client and the cluster may be closed then."""
        self._ends = True
        self._sender.stop()

    def stop(self) -> None:
        """Read what has arrived, and cancel what is not done."""
        self._inbox.stop()
        self._sender.drop_local_calls()
        self._pending.end_all(lambda: Cancelled(message="The flow ended before it did."))

    def submit(
        self,
        task: Task[..., Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None,
        dependencies: dict[str, set[RunInput]] | None,
    ) -> DaskFuture:
        """Submit a task; it is sent as soon as the futures among its parameters are done."""
        run_id = uuid4()
        waited = list(wait_for) if wait_for else None
        arguments = {
            "task_run_id": run_id,
            "parameters": parameters,
            "wait_for": waited,
            "dependencies": engine.inputs_of(parameters, dependencies),
            "context": None if self._in_process else engine.task_context(),
        }
        run = PendingRun(f"{self._topic}-{task.name}-{run_id}", run_id, task, arguments)
        self._pending.add(run)

        futures = engine.futures_in(parameters, waited)
        when_done(futures, partial(run.context.run, self._sender.send, run))
        return DaskFuture(run_id, run.done)

    def _check_cluster_alive(self) -> None:
        """Replace lost workers; end all that is pending when nobody can do it."""
        if self._ends:
            return
        self._health.replace_lost_workers()
        if reason := self._health.reason_of_standstill():
            self._pending.end_all(lambda: Crashed(message=reason, data=WorkerLostError(reason)))
