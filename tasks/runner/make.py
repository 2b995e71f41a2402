"""The one place that builds a Dask task runner."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from prefect import Task
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.core.errors import AfterfitError, RequestError

if TYPE_CHECKING:
    from tasks.runner.dask_runner import DaskRunner

R = TypeVar("R")
LOOK_SECONDS = 0.5  # how often `while_waiting` is called while a task runs


def make_runner(
    workers: int | None = None,
    cluster: str | None = None,
    *,
    threads: int | None = None,
    reads: Iterable[str] = (),
    writes: str = "",
) -> "DaskRunner":
    """Make a Prefect task runner; nothing is started before the first task is submitted.

    By default tasks run on one thread per core of this process, which is enough where scikit-learn
    and Arrow release the GIL. Limits of a cgroup (a container) are heeded.

    Args:
        workers: how many worker processes to start on this machine instead, which share its cores
            and its memory equally.
        cluster: the address of an existing Dask scheduler, such as `tcp://10.0.0.5:8786`; it is
            checked first.
        threads: how many threads of this process run tasks, where there are no workers.
        reads: the files that the workers of such a cluster will read.
        writes: a folder or URL they will write to.

    Raises:
        RequestError: there can be no such workers, or no such address.
    """
    check_workers(workers, cluster)

    # What is small enough for no cluster should not wait for the imports of Dask.
    from tasks.runner import local_cluster  # noqa: PLC0415 - see above
    from tasks.runner.dask_runner import DaskRunner  # noqa: PLC0415 - see above

    if cluster:
        from tasks.runner.cluster import connect  # noqa: PLC0415 - see above
        from tasks.runner.cluster_checks import Reach  # noqa: PLC0415 - see above

        reach = Reach(tuple(reads), writes)
        return DaskRunner(cluster, connect=partial(connect, reach=reach))

    if workers:
        library_threads = max(1, parallelism() // workers)
        return DaskRunner(local=local_cluster.on_processes(workers, library_threads))
    return DaskRunner(local=local_cluster.on_threads(threads or parallelism()))


def make_threads(parallel_windows: int) -> ThreadPoolTaskRunner[Any]:
    """Make a runner for tasks of this process that wait for others most of the time."""
    return ThreadPoolTaskRunner(max_workers=parallel_windows)


def check_parallel_windows(parallel_windows: int) -> None:
    """Refuse a number of windows that cannot be scored side by side.

    Raises:
        RequestError: with what to write instead.
    """
    if parallel_windows < 1:
        raise RequestError(f"parallel_windows (--at-once) is {parallel_windows}: give at least 1.")


def check_workers(workers: int | None, cluster: str | None) -> None:
    """Refuse a number of workers, or an address of a scheduler, that cannot be.

    Raises:
        RequestError: with what to write instead.
    """
    if workers is not None and workers < 1:
        raise RequestError(f"workers is {workers}: give at least 1, or leave it out.")
    if workers is not None and cluster is not None:
        raise RequestError(
            f"workers is {workers} and cluster is {cluster}: give one of them; "
            "a cluster has its own."
        )
    if cluster is not None and "://" not in cluster:
        raise RequestError(
            f"cluster is {cluster!r}: write it with its protocol, as in tcp://10.0.0.5:8786."
        )


def parallelism(workers: int | None = None) -> int:
    """Return how many tasks run side by side.

    These are the worker processes, if any, else the cores that this process may use.
    """
    from dask.system import CPU_COUNT  # noqa: PLC0415 - as above; it heeds cgroups

    return workers or CPU_COUNT


def map_task(
    runner: TaskRunner[Any], task: Task[..., R], **parameters: Any
) -> list[PrefectFuture[R]]:
    """Map a task over parameters on a started runner; `unmapped` ones are the same for all.

    Raises:
        AfterfitError: the scheduler, to which the runner connects now, cannot be reached.
    """
    try:
        # `map` is typed for coroutines only; a plain function is as good.
        return list(runner.map(cast("Any", task), parameters))
    except OSError as error:
        raise AfterfitError(f"The Dask scheduler cannot be reached: {error}") from error


def result_of(future: PrefectFuture[R], while_waiting: Callable[[], None]) -> R:
    """Return the result of a task; call `while_waiting` twice a second until it is there.

    Raises:
        AfterfitError: the task failed with one; a `WorkerLostError`, if its worker died.
    """
    while not cast("Any", future).wrapped_future.done():  # its state would be asked of the API
        future.wait(LOOK_SECONDS)
        while_waiting()
    return future.result()
