"""What a flow sends to its workers: calls, and the tasks and the context that calls share."""

import hashlib
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any

import cloudpickle
from distributed import Client
from prefect.states import Crashed

from tasks.runner import engine, worker
from tasks.runner.dask_inside import is_connected, is_in_process
from tasks.runner.mailroom import MAILROOM
from tasks.runner.messages import Call, Message, topic_of
from tasks.runner.pending import PendingRun, PendingRuns


class Sender:
    """Sends calls to the workers; its thread submits all that wait at once."""

    def __init__(
        self, client: Client, pending: PendingRuns, deliver: Callable[[Message], None]
    ) -> None:
        """Send by this client; workers in this process hand their messages to `deliver`."""
        self._client = client
        self._pending = pending
        self._deliver = deliver
        self._topic = topic_of(client.id)
        self._in_process = is_in_process(client)
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._stopped = False
        self._shared: dict[int, tuple[object, str]] = {}  # by id
        self._sharing = threading.Lock()

        enter = copy_context().run
        self._thread = threading.Thread(target=enter, args=(self._submit_calls,), daemon=True)

    def start(self) -> None:
        """Start to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._calls.put(None)
        self._thread.join()

    def drop_local_calls(self) -> None:
        """Drop the calls that no worker of this process has begun, when there is none any more."""
        MAILROOM.drop_local(self._topic)

    def send(self, run: PendingRun) -> None:
        """Send a run whose parameters are done; one that cannot be sent ends Crashed."""
        if self._pending.find(run.key) is None:
            return  # it ended while it waited for its parameters
        try:
            call = self._call_of(run)
        except Exception as error:  # noqa: BLE001 - a callback has no one to tell
            self._end_unsent(run, error)
        else:
            self._calls.put(call)

    def _end_unsent(self, run: PendingRun, error: Exception) -> None:
        message = f"It could not be sent to a worker: {error}"
        self._pending.end(run, Crashed(message=message, data=error))

    # What a call holds

    def _call_of(self, run: PendingRun) -> Call:
        arguments = run.arguments.copy()
        for name in ("parameters", "wait_for"):
            arguments[name] = engine.with_states(arguments[name])

        if self._in_process:
            arguments["task"] = run.task
            MAILROOM.keep_local(run.key, arguments, self._deliver)
            return Call(run.key, self._topic)

        return Call(
            run.key,
            self._topic,
            task=self._share(run.task, partial(cloudpickle.dumps, run.task)),
            context=self._share(None, engine.pack_context),
            arguments=cloudpickle.dumps(arguments),
        )

    def _share(self, thing: object, pack: Callable[[], bytes]) -> str:
        """Send a thing to all workers, once, and return the name it has there."""
        with self._sharing:
            if id(thing) not in self._shared:
                content = pack()
                digest = hashlib.sha256(content).hexdigest()
                name = f"{self._topic}-{digest}"
                self._client.register_plugin(worker.SharedBytes(name, content))
                # The thing is kept, so that no other one gets its id.
                self._shared[id(thing)] = thing, name

            _, name = self._shared[id(thing)]
            return name

    # The thread

    def _submit_calls(self) -> None:
        while not self._stopped:
            if calls := self._waiting_calls():
                self._submit(calls)

    def _waiting_calls(self) -> list[Call]:
        """Wait for a call, and return it with those behind it."""
        calls: list[Call] = []
        while not (calls and self._calls.empty()):
            call = self._calls.get()
            if call is None:
                self._stopped = True
                break
            calls.append(call)
        return calls

    def _submit(self, calls: list[Call]) -> None:
        keys = [call.key for call in calls]
        try:
            futures: Any = self._client.map(worker.execute, calls, key=keys, pure=False)
        except Exception as error:  # noqa: BLE001 - this thread has to go on
            self._end_all_unsent(keys, error)
            return
        for future in futures:
            future.release()

    def _end_all_unsent(self, keys: list[str], error: Exception) -> None:
        if not is_connected(self._client):
            return  # whoever checks the cluster ends them, and says that the scheduler went away
        for key in keys:
            if run := self._pending.find(key):
                self._end_unsent(run, error)
