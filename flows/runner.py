"""The one place that builds a Dask task runner."""

import os
from typing import Any, TypeVar, cast

import dask
from prefect import Task
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner
from prefect_dask.task_runners import DaskTaskRunner

from tasks.core.errors import RequestError

R = TypeVar("R")
LOOPBACK = "127.0.0.1"
# By default Dask's status pages listen on every address of the machine.
PAGES = {"dashboard_address": f"{LOOPBACK}:0", "worker_dashboard_address": f"{LOOPBACK}:0"}


def make_runner(workers: int | None = None, cluster: str | None = None) -> DaskTaskRunner:
    """Make a Prefect task runner; nothing is started before the first task is submitted.

    Args:
        workers: how many worker processes to start on this machine; by default tasks run on one thread per core
            of this process, which is enough where scikit-learn and Arrow release the GIL.
        cluster: the address of an existing Dask scheduler, such as `tcp://10.0.0.5:8786`.
    """
    # Never the default client: another library's cluster in this process must not be taken for ours.
    client = {"set_as_default": False}
    if workers is not None and workers < 1:
        raise RequestError(f"workers is {workers}: give at least 1, or leave it out.")
    if cluster and "://" not in cluster:
        raise RequestError(f"cluster is {cluster!r}: write it with its protocol, as in tcp://10.0.0.5:8786.")
    # Tasks that no worker is left to run fail, in place of waiting for ever.
    dask.config.set({"distributed.scheduler.no-workers-timeout": "120s"})
    if cluster:
        return DaskTaskRunner(address=cluster, client_kwargs=client)
    if workers:
        processes = {"n_workers": workers, "threads_per_worker": 1, "processes": True, "host": LOOPBACK}
        return _local(client, processes)
    threads = {"n_workers": 1, "threads_per_worker": os.cpu_count() or 1, "processes": False}
    return _local(client, threads)


def map_task(runner: TaskRunner[Any], task: Task[..., R], **parameters: Any) -> list[PrefectFuture[R]]:
    """Map a task over parameters on a started runner; those that are the same for all are `unmapped`."""
    # `map` is typed for coroutines only; a plain function is as good.
    return list(runner.map(cast("Any", task), parameters))


def _local(client: dict[str, bool], cluster: dict[str, Any]) -> DaskTaskRunner:
    return DaskTaskRunner(
        cluster_class="distributed.LocalCluster", cluster_kwargs={**cluster, **PAGES}, client_kwargs=client
    )
