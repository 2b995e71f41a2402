"""The one place that builds a Dask task runner."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast

from prefect import Task
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.core.errors import AfterfitError, RequestError

if TYPE_CHECKING:
    from prefect_dask.task_runners import DaskTaskRunner

R = TypeVar("R")
LOOPBACK = "127.0.0.1"
# By default Dask's status pages listen on every address of the machine.
PAGES = {"dashboard_address": f"{LOOPBACK}:0", "worker_dashboard_address": f"{LOOPBACK}:0"}
LOOK_SECONDS = 0.5  # how often progress is looked at while tasks run
NO_WORKERS_SECONDS = 120.0  # how long a scheduler may be without any worker: new ones take a while to start


def make_runner(workers: int | None = None, cluster: str | None = None) -> "DaskTaskRunner":
    """Make a Prefect task runner; nothing is started before the first task is submitted.

    Args:
        workers: how many worker processes to start on this machine; by default tasks run on one thread per core
            of this process, which is enough where scikit-learn and Arrow release the GIL.
        cluster: the address of an existing Dask scheduler, such as `tcp://10.0.0.5:8786`.
    """
    import dask  # noqa: PLC0415 - what is small enough for no cluster should not wait for its imports
    from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415 - the same

    # Never the default client: another library's cluster in this process must not be taken for ours.
    client = {"set_as_default": False}
    check_workers(workers, cluster)
    # Tasks that no worker is left to run fail, in place of waiting for ever.
    dask.config.set({"distributed.scheduler.no-workers-timeout": "120s"})
    if cluster:
        return DaskTaskRunner(address=cluster, client_kwargs=client)
    local: dict[str, Any] = {"n_workers": 1, "threads_per_worker": lanes(), "processes": False}
    if workers:
        local = {"n_workers": workers, "threads_per_worker": 1, "processes": True, "host": LOOPBACK}
    return DaskTaskRunner(
        cluster_class="distributed.LocalCluster", cluster_kwargs={**local, **PAGES}, client_kwargs=client
    )


def make_threads(at_once: int) -> ThreadPoolTaskRunner[Any]:
    """Make a runner for tasks of this process that wait for others most of the time.

    Raises:
        RequestError: `at_once` is no number of threads.
    """
    if at_once < 1:
        raise RequestError(f"at_once is {at_once}: give at least 1.")
    return ThreadPoolTaskRunner(max_workers=at_once)


def check_workers(workers: int | None, cluster: str | None) -> None:
    """Refuse a number of workers, or an address of a scheduler, that cannot be.

    Raises:
        RequestError: with what to write instead.
    """
    if workers is not None and workers < 1:
        raise RequestError(f"workers is {workers}: give at least 1, or leave it out.")
    if cluster and "://" not in cluster:
        raise RequestError(f"cluster is {cluster!r}: write it with its protocol, as in tcp://10.0.0.5:8786.")


def lanes(workers: int | None = None) -> int:
    """Tell how many tasks run side by side: on so many worker processes, else one on each core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return workers or cores or 1


def map_task(runner: TaskRunner[Any], task: Task[..., R], **parameters: Any) -> list[PrefectFuture[R]]:
    """Map a task over parameters on a started runner; those that are the same for all are `unmapped`."""
    try:
        # `map` is typed for coroutines only; a plain function is as good.
        return list(runner.map(cast("Any", task), parameters))
    except OSError as error:  # it connects to its scheduler now
        raise AfterfitError(f"The Dask scheduler cannot be reached: {error}") from error


def results_of(futures: Iterable[PrefectFuture[R]], while_waiting: Callable[[], None]) -> Iterator[R]:
    """Give the results in order; call `while_waiting` twice a second until each is there.

    Raises:
        AfterfitError: the task failed with one, its workers died, or none has been there for two minutes.
    """
    from distributed import KilledWorker  # noqa: PLC0415 - Dask is there by now
    from distributed.client import FutureCancelledError  # noqa: PLC0415 - the same

    seen = time.monotonic()
    for future in futures:
        submitted: Any = cast("Any", future).wrapped_future
        while not submitted.done():
            future.wait(LOOK_SECONDS)
            while_waiting()
            seen = _workers_seen(submitted.client, seen)
        try:
            yield future.result()
        except KilledWorker as error:
            raise AfterfitError(
                "Worker processes died again and again over the same rows, most often for lack of memory: "
                "give them more, or fewer --workers. What is done is kept: run the same command again."
            ) from error
        except FutureCancelledError as error:
            raise AfterfitError(
                "The Dask scheduler went away. What is done is kept: run the same command again."
            ) from error


def _workers_seen(client: Any, seen: float) -> float:
    """Tell when a scheduler had workers last; those of others may be gone for good, and it would wait for ever."""
    if client.status != "running":  # it looks for its scheduler, and gives up by itself
        return seen
    if client.scheduler_info()["workers"]:
        return time.monotonic()
    if time.monotonic() - seen > NO_WORKERS_SECONDS:
        raise AfterfitError(
            f"The Dask scheduler has had no worker for {NO_WORKERS_SECONDS:.0f} s. What is done is kept: start "
            "workers, then run the same command again."
        )
    return seen
