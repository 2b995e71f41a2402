"""The Dask task runner: many fast tasks, each run once, whose results the flow keeps."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, cast

from distributed import Client
from prefect import Task
from prefect.client.schemas.objects import RunInput
from prefect.context import FlowRunContext
from prefect.futures import PrefectFuture
from prefect.logging.loggers import flow_run_logger
from prefect_dask.task_runners import DaskTaskRunner

from tasks.runner import dask_inside, local_cluster
from tasks.runner.future import DaskFuture
from tasks.runner.session import Session


def connect(scheduler: Any) -> Client:
    """Connect to a scheduler; from within a task, with the certificates of its worker."""
    security = dask_inside.security_around()
    return Client(  # type: ignore[no-untyped-call]
        scheduler, security=security, set_as_default=False
    )


class DaskRunner(DaskTaskRunner):
    """Runs tasks on Dask; `tasks.runner.make.make_runner` makes one.

    - A task that has begun when its worker dies runs again if it has retries left, else it ends
      Crashed with a `WorkerLostError`. One that had not begun, as last reported to the flow (some
      milliseconds late), is rescheduled up to three times. One that is done is never run again.
    - When the scheduler goes away, or has had no worker for two minutes, all that is not done ends
      Crashed.
    - What is not done when the flow ends is dropped, and ends Cancelled.
    """

    def __init__(
        self,
        address: str | None = None,
        local: dict[str, Any] | None = None,
        connect: Callable[[Any], Client] = connect,
    ) -> None:
        """Take the address of a scheduler, or the options of a cluster to start."""
        super().__init__(address=address)
        self.cluster_kwargs = local or {}
        self._connect = connect
        self._opening = threading.Lock()
        self._session: Session | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as a runner that has not been started."""
        return DaskRunner, (self.address, self.cluster_kwargs, connect)

    def duplicate(self) -> "DaskRunner":
        """Return another with the same settings, not started."""
        return DaskRunner(self.address, self.cluster_kwargs, self._connect)

    def __exit__(self, *error: object) -> None:
        """Stop; what is not done is dropped."""
        session = self._session
        if session:
            session.stop_sending()
        super().__exit__(*error)  # closes the client and the cluster
        if session:
            session.stop()

        self._session = self._cluster = None  # it may be started again

    def submit(  # type: ignore[override]
        self,
        task: Task[..., Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, set[RunInput]] | None = None,
    ) -> DaskFuture:
        """Submit a task; it is sent as soon as the futures among its parameters are done.

        Raises:
            RuntimeError: the runner has not been started.
        """
        if not self._started:
            raise RuntimeError("The task runner must be started before submitting work.")
        session = self._open()
        dask_inside.leave_thread_pool()
        return session.submit(task, parameters, wait_for, dependencies)

    @property
    def client(self) -> Any:
        """The client of the cluster, which is started when it is first asked for."""
        return self._open().client

    def _open(self) -> Session:
        with self._opening:
            if self._session is None:
                client = self._exit_stack.enter_context(self._connect(self._find_scheduler()))
                self._session = self._start_session(client)
            return self._session

    def _find_scheduler(self) -> Any:
        """Return the address of a scheduler, or a cluster, which is started now.

        It is never that of a client somebody else has made the default of the process.
        """
        if around := dask_inside.scheduler_around():
            return around  # a task submits tasks
        if self.address or self._cluster:
            return self.address or self._cluster

        started = local_cluster.start(self.cluster_kwargs)
        self._cluster = self._exit_stack.enter_context(started)
        return self._cluster

    def _start_session(self, client: Client) -> Session:
        flow_run_id = None
        context = FlowRunContext.get()
        if context and context.flow_run:
            flow_run_id = context.flow_run.id
            self.logger = cast("Any", flow_run_logger(context.flow_run, context.flow))

        session = Session(client, self._cluster, flow_run_id, self.logger)
        session.start()
        return session
