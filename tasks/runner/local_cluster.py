"""Workers of a runner's own, on this machine."""

import threading
from itertools import count
from typing import Any

import dask
from distributed import LocalCluster

from tasks.runner import dask_inside

_starting = threading.Lock()  # Dask's imports and settings are those of the whole process


def start(options: dict[str, Any], settings: dict[str, Any]) -> LocalCluster:
    """Start a cluster with settings of its own."""
    with _starting, dask.config.set(settings):
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
        given_up = dask_inside.workers_given_up(self._cluster, self._seen)
        self._seen = dict(self._cluster.workers)
        for name, lost in given_up.items():
            replacement = f"replacement-{next(self._numbers)}"
            dask_inside.replace_worker(self._cluster, name, lost, replacement)

        if given_up:
            self._cluster.scale(len(self._cluster.worker_spec))
