"""One thread computes, whatever else runs in the process."""

import threading

import numpy as np
from threadpoolctl import threadpool_info

from tasks.core.model.threads import one_thread


def _blas():
    np.linalg.inv(np.eye(2))
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_the_first_to_leave_does_not_give_the_others_more_threads():
    """BLAS has one number of threads for the whole process: it is one as long as anybody needs it
    to be.
    """
    inside, leave = threading.Event(), threading.Event()

    def other():
        with one_thread():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with one_thread():
        thread.start()
        inside.wait(10)
    assert _blas() == {1}
    leave.set()
    thread.join()


def test_what_was_allowed_before_is_allowed_again_whichever_thread_asks():
    """Scoring in a process does not slow down what is fitted in it later; OpenBLAS heeds only one
    thread of all.
    """
    before, found = _blas(), []

    def other():
        with one_thread():
            found.append(_blas())

    for _ in range(2):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert _blas() == before
    assert found == [{1}, {1}]
