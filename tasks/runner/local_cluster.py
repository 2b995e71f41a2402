"""Workers of a runner's own, on this machine: threads of this process, or processes."""

import logging
import threading
from itertools import count
from typing import Any

import dask
from distributed import LocalCluster, Worker
from distributed.system import MEMORY_LIMIT

from tasks.runner import dask_inside
from tasks.runner.starting import LOG_SETTING, SETTINGS, STARTING

LOOPBACK = "127.0.0.1"
# By default Dask's status pages listen on every address of the machine. They show (and, some of
# them, do) to anybody what they can, so there are none: see `starting.SETTINGS` for the rest.
NO_PAGES = {
    "dashboard_address": f"{LOOPBACK}:0",
    "worker_dashboard_address": f"{LOOPBACK}:0",
    "scheduler_kwargs": {"dashboard": False},
}
_importing = threading.Lock()  # as a cluster starts Dask imports modules, once for the process


def on_threads(threads: int) -> dict[str, Any]:
    """Return the options of a cluster of one worker, which has threads of this process."""
    return {
        "processes": False,
        "n_workers": 1,
        "threads_per_worker": threads,
        "worker_class": make_worker,
        "silence_logs": _log_level(),
        **NO_PAGES,
    }


def on_processes(workers: int, library_threads: int) -> dict[str, Any]:
    """Return the options of a cluster of processes, which share the memory equally.

    Libraries of a worker process use up to `library_threads` threads, unless variables such as
    OMP_NUM_THREADS say otherwise; scoring uses one at a time. Whoever can connect to a process of
    Dask's can run code in it: these know each other by certificates that live as long as they do.
    """
    return {
        "processes": True,
        "n_workers": workers,
        "threads_per_worker": 1,
        "memory_limit": MEMORY_LIMIT // workers,  # it heeds the limits of a cgroup
        "worker_class": dask_inside.OwnNanny,
        "library_threads": library_threads,
        "config": SETTINGS,
        "host": LOOPBACK,
        "security": True,
        "silence_logs": _log_level(),
        **NO_PAGES,
    }


def _log_level() -> int:
    """Return a level that is no louder than this process."""
    return max(logging.WARNING, logging.getLogger("distributed").level)


def _quieten() -> None:
    """Keep Dask's news from the handlers of others.

    `silence_logs` does so for Dask's own, which it has only if nobody set up logs before it was
    imported, as Prefect does. A level that somebody chose stays.
    """
    logger = logging.getLogger("distributed")
    is_chosen = dask.config.get(LOG_SETTING, None) is not None
    if logger.level == logging.INFO and not (logger.handlers or is_chosen):
        logger.setLevel(logging.WARNING)


def make_worker(*arguments: Any, **options: Any) -> Worker:
    """Make a worker in this process, also one that comes later than its cluster."""
    with STARTING:
        return Worker(*arguments, **(options | dask_inside.NO_DASHBOARD))


def start(options: dict[str, Any]) -> LocalCluster:
    """Start a cluster with such options."""
    if options.get("security"):
        # 30 ms that a run on threads need not wait.
        from tasks.runner.certificates import make_security  # noqa: PLC0415 - see above

        options = options | {"security": make_security()}

    _quieten()
    with _importing, STARTING:
        return LocalCluster(**options)  # type: ignore[no-untyped-call]


class Replacements:
    """Workers in place of those that Dask has given up.

    It does so when they died as they started, or took too long to.
    """

    def __init__(self, cluster: LocalCluster) -> None:
        """Look after the workers of a cluster."""
        self._cluster: Any = cluster
        self._seen: dict[Any, Any] = {}  # the workers when last looked, by name
        self._numbers = count(1)

    def start_missing(self) -> None:
        """Start a worker for each one given up since the last call."""
        cluster = self._cluster
        given_up = dask_inside.workers_given_up(cluster, self._seen)
        self._seen = dict(cluster.workers)
        if not given_up:
            return

        for name, lost in given_up.items():
            number = next(self._numbers)
            dask_inside.replace_worker(cluster, name, lost, f"replacement-{number}")
        cluster.scale(len(cluster.worker_spec))
