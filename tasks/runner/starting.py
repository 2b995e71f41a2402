"""Dask's settings and this process's environment while workers of our own start.

Dask reads both as it starts a worker, and both are those of the whole process, which is the user's:
they are changed only meanwhile.
"""

import os
import threading
from contextlib import ExitStack

import dask
import distributed  # noqa: F401 - Dask has the settings of its workers once this is imported

from tasks.core.storage.home import private_home

SETTINGS = {
    # Profiles of workers cost more than a small task, and nobody looks at them. Sources of calls
    # (`distributed.diagnostics.computations.nframes`) do so too: Dask looks for none by default.
    "distributed.worker.profile.enabled": False,
    # A worker near its limit would take no task until memory is free, which, with no results to
    # spill, may be never.
    "distributed.worker.memory.pause": False,
    "distributed.worker.http.routes": [],
}
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
ROUTES = "distributed.scheduler.http.routes"
SCRATCH = "temporary-directory"
PRE_SPAWN = "distributed.nanny.pre-spawn-environ"
LOG_LEVEL = "DASK_LOGGING__DISTRIBUTED"  # of the processes of workers, as they import Dask
LOG_SETTING = "logging.distributed"  # the same, as a setting of Dask's
# What Dask sets beside the variables of its setting `pre-spawn-environ`.
OTHER_VARIABLES = ("PYTHONHASHSEED", "__DASK_PARENT_PID")


class StartingWorkers:
    """The time in which any worker of this process starts.

    The first to start changes the settings and remembers the environment, and the last puts both
    back: two that overlap, each on its own, would leave behind what the first had changed.
    """

    def __init__(self) -> None:
        """Begin with none that starts."""
        self._lock = threading.Lock()
        self._count = 0
        self._before: dict[str, str | None] = {}
        self._to_put_back = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._count == 0:
                self._begin()
            self._count += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0:
                self._to_put_back.close()
                self._before = {}

    def _begin(self) -> None:
        # Python imports modules from there too: in /tmp they could be somebody else's.
        scratch = dask.config.get(SCRATCH, None) or str(private_home() / "scratch")
        by_setting = dask.config.get(PRE_SPAWN)
        names = {*by_setting, *THREAD_VARIABLES, *OTHER_VARIABLES, LOG_LEVEL}
        self._before = {name: os.environ.get(name) for name in names}
        self._to_put_back.callback(_restore, self._before)

        # A scheduler may add to this very list. By default others can read what it does and retire
        # its workers.
        settings = dask.config.set({**SETTINGS, ROUTES: [], SCRATCH: scratch})
        self._to_put_back.enter_context(settings)

    def variable_of_user(self, name: str) -> str | None:
        """Return a variable of the environment, as it was before Dask changed any."""
        with self._lock:
            if name in self._before:
                return self._before[name]
            return os.environ.get(name)


def _restore(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


STARTING = StartingWorkers()  # one for the process, as its environment and Dask's settings are
