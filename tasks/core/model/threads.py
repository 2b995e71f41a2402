"""Threads: one computes for one piece, whatever else runs in the process."""

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from threadpoolctl import ThreadpoolController

from tasks.core.model.contents import objects_inside


class BlasLimit:
    """Holds the BLAS libraries of the process to one thread, as long as anybody needs it.

    Counted: the first user sets the limit, the last one restores it; else one would restore it
    while another computes. Setting it wakes the library's threads, which spin for a moment, so hold
    it for all the work.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._limits: dict[ThreadpoolController, Any] = {}  # what was set, in the order it was set
        self._found: tuple[int, ThreadpoolController] | None = None

    def controller(self) -> ThreadpoolController:
        """Return what controls the libraries that start threads.

        To look for them takes as long as to score a few thousand rows. What was found holds while
        no module is imported.
        """
        modules = len(sys.modules)

        found = self._found
        if found is None or found[0] != modules:
            found = self._found = modules, ThreadpoolController()
        return found[1]

    def acquire(self, controller: ThreadpoolController) -> None:
        """Count one more user, and limit the libraries that are not limited yet."""
        with self._lock:
            self._users += 1

            if controller not in self._limits:  # a library was loaded since
                limiting = self._owner.submit(controller.limit, limits=1, user_api="blas")
                self._limits[controller] = limiting.result()

    def release(self) -> None:
        """Count one user less; after the last one, restore what was set, the last limit first."""
        with self._lock:
            self._users -= 1

            while self._limits and not self._users:
                _, limit = self._limits.popitem()
                self._owner.submit(limit.restore_original_limits).result()

    @cached_property
    def _owner(self) -> ThreadPoolExecutor:
        """The one thread that speaks to BLAS.

        OpenBLAS 0.3.31 heeds the first thread that ever set its number of threads, and no other.
        """
        return ThreadPoolExecutor(1, thread_name_prefix="blas")


# One for the process: OpenBLAS has one number of threads for all of it, not one for each thread.
BLAS = BlasLimit()


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread.

    OpenMP's number of threads belongs to the thread that sets it, so each user sets its own. That
    of a BLAS library belongs to the process, so all users share one limit.
    """
    controller = BLAS.controller()
    BLAS.acquire(controller)

    try:
        with controller.limit(limits=1, user_api="openmp"):
            yield
    finally:
        BLAS.release()


def use_one_thread(pipeline: Any) -> Any:
    """Set every `n_jobs` to 1, of estimators inside estimators too.

    A parallel forest adds up its trees as they finish, which changes the last bit.
    """
    for found in objects_inside(pipeline):
        if getattr(found, "n_jobs", None) not in {None, 1}:
            found.n_jobs = 1
    return pipeline
