"""Threads: one computes for one piece, whatever else runs in the process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

_lock = threading.Lock()
_users: list[threadpool_limits] = []


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread.

    OpenMP's number of threads belongs to the thread that sets it. That of a BLAS library belongs to the process: the
    first to come sets it and the last to go restores it, or one would restore it while another computes. (OpenBLAS
    may ignore a restoration from another thread than the one that set it; then BLAS stays on one thread.)
    """
    with _lock:
        _users.append(threadpool_limits(1, user_api="blas") if not _users else _users[0])
    try:
        with threadpool_limits(1, user_api="openmp"):
            yield
    finally:
        with _lock:
            limits = _users.pop()
            if not _users:
                limits.restore_original_limits()
