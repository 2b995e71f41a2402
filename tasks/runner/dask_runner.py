"""The Dask task runner: many fast tasks, each run once, whose results the flow keeps.

What a worker has to tell comes to a queue of this process: states, logs and results of tasks from
the workers, the loss of a task or of all workers from the scheduler. One thread reads it, and one
sends calls, as many at once as wait.
"""

import hashlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from functools import partial
from itertools import count
from typing import Any, ClassVar, cast
from uuid import UUID, uuid4

import cloudpickle
import dask
from distributed import Client, LocalCluster, get_worker
from prefect import Task
from prefect.client.schemas.objects import RunInput, State
from prefect.context import FlowRunContext
from prefect.futures import PrefectFuture
from prefect.logging.loggers import flow_run_logger
from prefect.states import Cancelled, Crashed
from prefect.utilities.engine import collect_task_run_inputs_sync
from prefect_dask.task_runners import DaskTaskRunner

from tasks.core.errors import WorkerLostError
from tasks.runner import dask_inside, engine, worker
from tasks.runner.future import DaskFuture
from tasks.runner.messages import (
    Call,
    EventsSent,
    Message,
    Packed,
    TaskDone,
    TaskErred,
    WorkerCount,
    WorkerDied,
    topic_of,
    unpack,
)
from tasks.runner.pending import PendingRun
from tasks.runner.scheduler import RunOnceGuard

LOOK_SECONDS = 0.5  # how often it is looked whether the scheduler, and any worker, is there
NO_WORKERS_SECONDS = (
    120.0  # how long a scheduler may be without any worker: new ones take a while to start
)
CONNECT: Callable[[Any], Client] = partial(Client, set_as_default=False)
_starting = threading.Lock()  # Dask's imports and settings are those of the whole process


class DaskRunner(DaskTaskRunner):
    """Runs tasks on Dask; `flows.runner.make_runner` makes one.

    - A task that has begun when its worker dies runs again if it has retries left, else it ends
      Crashed with a
      `WorkerLostError`; one that had not begun, as far as the flow has heard by then (some
      milliseconds late), runs elsewhere, up to three times. One that is done is never run again.
    - When the scheduler goes away, or has had no worker for two minutes, all that is not done ends
      Crashed.
    - What is not done when the flow ends is dropped, and ends Cancelled.
    """

    def __init__(
        self,
        address: str | None = None,
        local: dict[str, Any] | None = None,
        connect: Callable[[Any], Client] = CONNECT,
        settings: dict[str, Any] | None = None,
    ) -> None:
        """Take the address of a scheduler, or what `distributed.LocalCluster` and Dask's settings
        take to start one.
        """
        super().__init__(address=address)
        self._connect = connect
        self._settings = settings or {}
        self.cluster_kwargs = local or {}
        self._lock = threading.RLock()
        self._dask: Any = None
        self._topic, self._in_process = "", False
        self._flow_run_id: UUID | None = None
        self._flights: dict[str, PendingRun] = {}
        self._ended: set[str] = (
            set()
        )  # task runs that were ended here: nothing more is heard of them
        self._shared: dict[int, tuple[Any, str]] = {}
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._messages: queue.SimpleQueue[Packed | Message | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._workers_seen = time.monotonic()
        self._has_workers = True
        self._workers: dict[
            Any, Any
        ] = {}  # those of our own cluster when it was last looked, by name
        self._replacements = count(1)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as a runner that has not been started."""
        return DaskRunner, (self.address, self.cluster_kwargs, CONNECT, self._settings)

    def duplicate(self) -> "DaskRunner":
        """Give another with the same settings, not started."""
        return DaskRunner(self.address, self.cluster_kwargs, self._connect, self._settings)

    def __exit__(self, *error: object) -> None:
        """Stop; what is not done is dropped."""
        self._stop(self._calls, self._threads[:1])
        super().__exit__(*error)  # of the client and the cluster
        self._stop(self._messages, self._threads[1:])
        for flight in reversed(list(self._flights.values())):  # first those that wait for others
            self._end(flight, Cancelled(message="The flow ended before it did."))
        self._dask = self._cluster = None  # it may be started again
        self._threads, self._shared, self._workers = [], {}, {}

    def _stop(self, work: queue.SimpleQueue[Any], threads: Sequence[threading.Thread]) -> None:
        work.put(None)
        for thread in threads:
            thread.join()

    # Submitting

    def submit(  # type: ignore[override]
        self,
        task: Task[..., Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, set[RunInput]] | None = None,
    ) -> DaskFuture:
        """Submit a task; it is sent to the scheduler as soon as the futures among its parameters
        are done.
        """
        if not self._started:
            raise RuntimeError("The task runner must be started before submitting work.")
        self._open()
        dask_inside.leave_thread_pool()
        inputs: dict[str, set[Any]] = {
            name: {*collect_task_run_inputs_sync(of)} for name, of in parameters.items()
        }
        for name, more in (dependencies or {}).items():
            inputs.setdefault(name, set()).update(more)
        run_id = uuid4()
        arguments = {
            "task_run_id": run_id,
            "parameters": parameters,
            "wait_for": list(wait_for) if wait_for else None,
            "dependencies": inputs,
            "context": None if self._in_process else engine.task_context(),
        }
        flight = PendingRun(f"{self._topic}-{task.name}-{run_id}", run_id, task, arguments)
        self._flights[flight.key] = flight
        _when_done(
            engine.futures_in(parameters, wait_for), partial(flight.context.run, self._send, flight)
        )
        return DaskFuture(run_id, flight.done)

    def _send(self, flight: PendingRun) -> None:
        try:
            arguments = {**flight.arguments, "task": flight.task}
            for name in ("parameters", "wait_for"):
                arguments[name] = engine.with_states(arguments[name])
            if self._in_process:
                worker.keep_local(flight.key, arguments, self._messages.put)
                call = Call(flight.key, self._topic)
            else:
                shared = self._share(arguments.pop("task")), self._share(None)
                call = Call(flight.key, self._topic, *shared, cloudpickle.dumps(arguments))
        except Exception as error:  # noqa: BLE001 - it may be a callback that runs here, which has no one to tell
            self._end(
                flight, Crashed(message=f"It could not be sent to a worker: {error}", data=error)
            )
        else:
            self._calls.put(call)

    def _share(self, thing: Task[..., Any] | None) -> str:
        """Send a task, or for None the context of the flow, to all workers, once."""
        with self._lock:
            if id(thing) not in self._shared:
                content = engine.pack_context() if thing is None else cloudpickle.dumps(thing)
                name = f"{self._topic}-{hashlib.sha256(content).hexdigest()}"
                self._dask.register_plugin(worker.SharedBytes(name, content))
                self._shared[id(thing)] = thing, name  # kept, so that no other thing gets its id
            return self._shared[id(thing)][1]

    def _submit_calls(self) -> None:
        while (call := self._calls.get()) is not None:
            calls = [call]
            while not self._calls.empty() and (more := self._calls.get()) is not None:
                calls.append(more)
            for future in self._dask.map(
                worker.execute, calls, key=[call.key for call in calls], pure=False
            ):
                future.release()

    # The cluster

    @property
    def client(self) -> Any:
        """The client of the cluster, which is started when it is first asked for."""
        self._open()
        return self._dask

    def _open(self) -> None:
        with self._lock:
            if self._dask is not None:
                return
            self._connect_to = self._scheduler()
            self._dask = self._exit_stack.enter_context(self._connect(self._connect_to))
            self._topic = topic_of(self._dask.id)
            self._in_process = dask_inside.is_in_process(self._dask)
            flow = FlowRunContext.get()
            if flow and flow.flow_run:
                self._flow_run_id = flow.flow_run.id
                self.logger = cast("Any", flow_run_logger(flow.flow_run, flow.flow))
            self._dask.subscribe_topic(self._topic, lambda event: self._messages.put(event[1]))
            self._dask.register_plugin(RunOnceGuard(self._dask.id))
            for work in (self._submit_calls, self._read_messages):
                self._threads.append(
                    threading.Thread(target=copy_context().run, args=(work,), daemon=True)
                )
                self._threads[-1].start()

    def _scheduler(self) -> Any:
        """Find or start the cluster; never that of a client somebody else has made the default of
        the process.
        """
        try:
            return get_worker().scheduler.address  # a task that submits tasks
        except ValueError:
            pass
        if not (self.address or self._cluster):
            with _starting, dask.config.set(self._settings):
                self._cluster = self._exit_stack.enter_context(LocalCluster(**self.cluster_kwargs))  # type: ignore[no-untyped-call]
        return self.address or self._cluster

    # What comes back

    def _read_messages(self) -> None:
        while True:
            try:
                arrived = self._messages.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                self._look()
                continue
            if arrived is None:
                return
            try:
                # What a thread of this process put is no plain data.
                message = unpack(arrived) if isinstance(arrived, dict) else arrived
                self._READ_BY[type(message)](self, message)
            except Exception:
                self.logger.exception("A message of a worker could not be read")

    def _on_events(self, message: EventsSent) -> None:
        self._tell(self._flights.get(message.key), message.items)

    def _on_done(self, message: TaskDone) -> None:
        if flight := self._flights.get(message.key):
            self._tell(flight, message.items)
            self._land(flight, message.state)

    def _on_erred(self, message: TaskErred) -> None:
        if flight := self._flights.get(message.key):
            reason = WorkerLostError(f"{flight.task.name} {message.reason}")
            self._end(flight, Crashed(message=str(reason), data=reason))

    def _on_worker_count(self, message: WorkerCount) -> None:
        self._has_workers, self._workers_seen = bool(message.count), time.monotonic()

    def _tell(self, flight: PendingRun | None, items: Sequence[tuple[str, Any]]) -> None:
        for kind, item in items:
            run_id = engine.run_id(item) if kind == engine.EVENT else ""
            if flight and run_id == str(flight.run_id):
                flight.last, flight.begun = item, True
            if run_id not in self._ended:
                flight.context.copy().run(engine.emit, kind, item) if flight else engine.emit(
                    kind, item
                )

    def _on_worker_died(self, message: WorkerDied) -> None:
        flight = self._flights.get(message.key)
        if flight is None:
            return  # it has been ended
        memory = message.near_limit or dask_inside.ended_for_memory(self._cluster, message.pid)
        again = not memory and flight.may_go_on()
        told = f"{flight.task.name} lost its worker {message.worker}"
        if memory:
            told += f", which had too little memory (when last seen it used {message.used}): start fewer workers"
        elif not again and flight.task.retries:
            told += f", the last of {flight.lost + flight.lost_unbegun}: something in it may kill workers"
        reason = WorkerLostError(f"{told}.", memory=memory)
        if not again:
            self._end(flight, Crashed(message=str(reason), data=reason))
            return
        self.logger.warning("%s It runs again.", reason)
        del self._flights[flight.key]
        flight.key = (
            f"{self._topic}-{flight.task.name}-{flight.run_id}-{flight.lost + flight.lost_unbegun}"
        )
        self._flights[flight.key] = flight
        self._send(flight)

    _READ_BY: ClassVar[dict[type[Message], Callable[[Any, Any], None]]] = {
        EventsSent: _on_events,
        TaskDone: _on_done,
        WorkerDied: _on_worker_died,
        TaskErred: _on_erred,
        WorkerCount: _on_worker_count,
    }

    def _end(self, flight: PendingRun, state: State[Any]) -> None:
        self._ended.add(str(flight.run_id))
        if flight.last is not None:
            flight.context.copy().run(engine.end, flight.last, self._flow_run_id, state)
        self._land(flight, state)

    def _land(self, flight: PendingRun, state: State[Any]) -> None:
        if self._flights.pop(flight.key, None):
            flight.done.set_result(state)

    def _look(self) -> None:
        """Start workers in place of those that did not come back; end all that is not done when
        nobody can do it.
        """
        client, gone = self._dask, ""
        if self._cluster and self._started:
            self._replace_workers(self._cluster)
        if not (dask_inside.is_connected(client) or self._started):
            return
        if not dask_inside.is_connected(client):
            gone = (
                f"The Dask scheduler at {dask_inside.address_of(client) or self.address} went away."
            )
        elif not self._has_workers and time.monotonic() - self._workers_seen > NO_WORKERS_SECONDS:
            gone = f"The Dask scheduler has had no worker for {NO_WORKERS_SECONDS:.0f} s."
        for flight in list(self._flights.values()) if gone else []:
            self._end(flight, Crashed(message=gone, data=WorkerLostError(gone)))

    def _replace_workers(self, cluster: Any) -> None:
        """Start others for those that Dask has given up, because they died as they started or took
        too long to.
        """
        given_up = dask_inside.workers_given_up(cluster, self._workers)
        self._workers = dict(cluster.workers)
        for name, lost in given_up.items():
            replacement = f"replacement-{next(self._replacements)}"
            dask_inside.replace_worker(cluster, name, lost, replacement)
        if given_up:
            cluster.scale(len(cluster.worker_spec))


def _when_done(futures: Sequence[PrefectFuture[Any]], act: Callable[[], None]) -> None:
    """Act as soon as all futures are done: at once, or from the last one's callback."""
    counting = threading.Lock()
    left = len(futures) + 1

    def one_done(_: object = None) -> None:
        nonlocal left
        with counting:
            left -= 1
            last = not left
        if last:
            act()

    for future in futures:
        future.add_done_callback(one_done)
    one_done()
