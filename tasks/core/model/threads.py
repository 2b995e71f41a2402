"""Threads: one computes for one piece, whatever else runs in the process."""

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController

from tasks.core.model.contents import objects_inside

_lock = threading.Lock()
_users: list[int] = []
_limits: dict[ThreadpoolController, Any] = {}  # what was set, in the order it was set


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread.

    OpenMP's number of threads belongs to the thread that sets it. That of a BLAS library belongs to
    the process: the first to come sets it and the last to go restores it, or one would restore it
    while another computes. To set it wakes the library's own threads, which then spin for a while:
    hold it for as long as there is work.
    """
    controller = _controller(len(sys.modules))
    with _lock:
        _users.append(threading.get_ident())
        if controller not in _limits:  # a library was loaded since
            _limits[controller] = (
                _owner().submit(controller.limit, limits=1, user_api="blas").result()
            )
    try:
        with controller.limit(limits=1, user_api="openmp"):
            yield
    finally:
        with _lock:
            _users.pop()
            while _limits and not _users:
                _owner().submit(_limits.popitem()[1].restore_original_limits).result()


@lru_cache(maxsize=1)
def _owner() -> ThreadPoolExecutor:
    """Give the one thread that speaks to BLAS: OpenBLAS 0.3.31 heeds the first thread that ever
    did, and no other.
    """
    return ThreadPoolExecutor(1, thread_name_prefix="blas")


@lru_cache(maxsize=1)
def _controller(modules: int) -> ThreadpoolController:  # noqa: ARG001 - what was found holds while no module is added
    """Find the libraries that start threads; to look for them takes as long as to score a few
    thousand rows.
    """
    return ThreadpoolController()


def use_one_thread(pipeline: Any) -> Any:
    """Set every `n_jobs` to 1, of estimators inside estimators too.

    A parallel forest adds up its trees as they finish, which changes the last bit.
    """
    for found in objects_inside(pipeline):
        if getattr(found, "n_jobs", None) not in {None, 1}:
            found.n_jobs = 1
    return pipeline
