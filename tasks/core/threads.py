"""Threads: one computes for one piece, whatever else runs in the process."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_users: list[Any] = []


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread.

    OpenMP's number of threads belongs to the thread that sets it. That of a BLAS library belongs to the process: the
    first to come sets it and the last to go restores it, or one would restore it while another computes. (OpenBLAS
    may ignore a restoration from another thread than the one that set it; then BLAS stays on one thread.)
    """
    controller = _controller(len(sys.modules))
    with _lock:
        _users.append(_users[0] if _users else controller.limit(limits=1, user_api="blas"))
    try:
        with controller.limit(limits=1, user_api="openmp"):
            yield
    finally:
        with _lock:
            limits = _users.pop()
            if not _users:
                limits.restore_original_limits()


@lru_cache(maxsize=1)
def _controller(modules: int) -> ThreadpoolController:  # noqa: ARG001 - what was found holds while no module is added
    """Find the libraries that start threads; to look for them takes as long as to score a few thousand rows."""
    return ThreadpoolController()
