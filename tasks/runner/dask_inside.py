"""Dask's inside: all that the runner uses of Dask and that Dask does not document.

Each function rests on something that Dask does not promise, which its docstring states after
"Assumes"; `tests/tasks/runner/test_dask_inside*.py` hold it, one test each. This is why dask and
distributed have an upper bound in pyproject.toml.
"""

import pickle
from contextvars import Context, copy_context
from typing import Any, cast

import dask
from distributed import Client, Nanny, Scheduler, get_worker, secede
from distributed.core import Status
from distributed.scheduler import WorkerState
from distributed.security import Security
from distributed.threadpoolexecutor import thread_state as pool_thread
from distributed.worker import thread_state as task_thread  # type: ignore[attr-defined]

from tasks.runner.starting import LOG_LEVEL, LOG_SETTING, STARTING, THREAD_VARIABLES

# The states of a task on the scheduler that `SchedulerPlugin.transition` is told.
RELEASED, WAITING, PROCESSING, ERRED = "released", "waiting", "processing", "erred"
KEEPER = "fire-and-forget"  # a client that the scheduler itself has
IN_PROCESS = "inproc://"
NO_DASHBOARD = {"dashboard": False}  # a cluster turns it on with the address of the worker's pages
# What an error says when our own settings demand TLS and the address does not.
ENCRYPTION_REQUIRED = "encryption required"


# On the scheduler


def keep_until_done(scheduler: Scheduler, key: str) -> None:
    """Keep a task until it is done, though nobody holds its future, and no longer.

    Assumes that the scheduler forgets what its client "fire-and-forget" desires as soon as it has a
    result or an error.
    """
    scheduler.client_desires_keys([key], KEEPER)


def drop_kept(scheduler: Scheduler, prefix: str) -> None:
    """Drop the kept tasks whose keys begin so.

    Assumes that `wants_what` of a client are the tasks kept for it.
    """
    kept = scheduler.clients[KEEPER].wants_what
    keys = [str(task.key) for task in kept]
    dropped = [key for key in keys if key.startswith(prefix)]
    scheduler.client_releases_keys(dropped, KEEPER)


def give_up_with_its_worker(scheduler: Scheduler, key: str) -> WorkerState | None:
    """Have a task that is processed given up as soon as its worker dies; return that worker.

    Assumes that the scheduler counts in `suspicious` how many workers died with a task, and gives
    it up with `KilledWorker` when those are more than `allowed_failures`.
    """
    task = scheduler.tasks[key]
    task.suspicious = scheduler.allowed_failures
    return task.processing_on


def exception_of(details: dict[str, Any]) -> BaseException | None:
    """Return the exception for which a task was given up; None where its text must do.

    Assumes that a transition to "erred" is told the pickled exception as `exception`, and its text
    as `exception_text`.
    """
    pickled = details.get("exception")
    if not isinstance(pickled, bytes):
        return None
    try:
        return cast("BaseException", pickle.loads(pickled))  # noqa: S301 - the scheduler's own
    except Exception:  # noqa: BLE001 - the class of a user's exception may not be known here
        return None


def memory_of(worker: WorkerState) -> tuple[int, int]:
    """Return the bytes that a worker used when it was last seen, and its limit (0: none).

    Assumes that its heartbeat's metrics have them as `memory`.
    """
    return worker.metrics.get("memory", 0), worker.memory_limit


def forget_events(scheduler: Scheduler, topic: str) -> None:
    """Forget the events of a topic, of which the scheduler would keep 100,000.

    Assumes that the broker has sent an event on before plugins hear of it, and that `truncate`
    forgets those of one topic.
    """
    scheduler._broker.truncate(topic)  # noqa: SLF001 - there is no public way


def drop_worker_plugins(scheduler: Scheduler, prefix: str) -> None:
    """Remove the plugins of workers whose names begin so.

    Assumes that `worker_plugins` has them by name, and that the scheduler's own handler removes
    them from its workers as well.
    """
    remove = scheduler.unregister_worker_plugin
    for name in list(scheduler.worker_plugins):
        if name.startswith(prefix):
            scheduler.loop.add_callback(remove, comm=None, name=name)


# On a worker


def know_worker(context: Context) -> None:
    """Let what runs in a context know the worker of the task we are in, as `get_worker` does.

    Assumes that Dask keeps it in context variables, which are set while a task runs.
    """
    for variable, value in copy_context().items():
        if variable not in context:
            context.run(variable.set, value)


def leave_thread_pool() -> None:
    """Free the worker thread that we are on, if any, for others: its task is about to wait.

    Assumes that a thread of Dask has the `key` of the task it runs, and that the thread of a pool
    has `proceed`, which is False once it has seceded; to secede again would be an error.
    """
    runs_task = getattr(task_thread, "key", None) is not None
    if runs_task and getattr(pool_thread, "proceed", False):
        secede()  # type: ignore[no-untyped-call]


def scheduler_around() -> str | None:
    """Return the address of the scheduler whose task we are in; None outside of tasks.

    Assumes that a worker keeps it in `scheduler`.
    """
    try:
        return str(get_worker().scheduler.address)
    except ValueError:
        return None


def security_around() -> Security | None:
    """Return the certificates of the worker whose task we are in; None if there are none.

    Assumes that a worker keeps them in `security`, and that a client may use them.
    """
    try:
        security: Any = get_worker().security
    except ValueError:
        return None
    return cast("Security", security) if security.tls_client_cert else None


# In the flow


class OwnNanny(Nanny):
    """Starts a worker process with variables of its own, and leaves those of this process.

    Assumes that `instantiate` sets the variables of `pre_spawn_env` in this process, whose
    environment the worker's then inherits, and that the worker's process sets those of `env`. The
    former are there in time for libraries that read them when they are loaded.
    """

    def __init__(self, *arguments: Any, library_threads: int, **options: Any) -> None:
        """Let the libraries of the worker use so many threads, unless variables say otherwise."""
        with STARTING:
            super().__init__(*arguments, **(options | NO_DASHBOARD))

        self.pre_spawn_env[LOG_LEVEL] = str(dask.config.get(LOG_SETTING, None) or "warning")
        for name in THREAD_VARIABLES:
            threads = STARTING.variable_of_user(name) or str(library_threads)
            found = self.pre_spawn_env.get(name)
            self.pre_spawn_env[name] = threads
            if self.env.get(name) == found:  # else a setting of the user's for `env`
                self.env[name] = threads

    async def instantiate(self) -> Status:
        """Start the process of the worker, the first or the next."""
        with STARTING:
            return await super().instantiate()


def is_in_process(client: Client) -> bool:
    """Return whether scheduler and workers are threads of this process.

    Assumes that only the addresses of such schedulers begin with "inproc://".
    """
    return address_of(client).startswith(IN_PROCESS)


def address_of(client: Client) -> str:
    """Return the address of the scheduler; an empty string once the client has closed.

    Assumes that a client keeps it in `scheduler`, also while the scheduler is away.
    """
    return str(client.scheduler.address) if client.scheduler else ""


def is_connected(client: Client) -> bool:
    """Return whether the client has a scheduler.

    Assumes that its `status` is "running" then, and no longer when the scheduler goes away.
    """
    return bool(client.status == "running")


def ended_for_memory(cluster: Any, pid: int) -> bool:
    """Return whether Dask ended a process of this cluster near its memory limit.

    Such a process may not have been seen near it. Assumes that its nanny remembers the last one it
    ended; workers on threads have no nanny, and clusters elsewhere no `workers`.
    """
    workers: dict[Any, Any] = getattr(cluster, "workers", {})
    for worker in workers.values():
        manager = worker.memory_manager if isinstance(worker, Nanny) else None
        if manager and manager._last_terminated_pid == pid:  # noqa: SLF001 - no public way
            return True
    return False


def workers_given_up(cluster: Any, before: dict[Any, Any]) -> dict[Any, Any]:
    """Return those of the workers before, by name, that Dask no longer waits for.

    Assumes that a local cluster drops from `workers` what did not come back in time, that
    `worker_spec` names what it should have, and that the latter is empty while it closes.
    """
    wanted = before.keys() & cluster.worker_spec.keys()
    given_up = wanted - cluster.workers.keys()
    return {name: before[name] for name in given_up}


def replace_worker(cluster: Any, name: Any, lost: Any, replacement: str) -> None:
    """Put a worker of another name in the place of one given up; `cluster.scale` then starts it.

    Assumes that `new_spec` is what a local cluster starts workers with. The old name may still be
    registered, and the old nanny may still be at it.
    """
    cluster.loop.add_callback(lost.close)
    del cluster.worker_spec[name]
    cluster.worker_spec[replacement] = cluster.new_spec
