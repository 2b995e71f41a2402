"""One thread computes, whatever else runs in the process."""

import threading

from threadpoolctl import threadpool_info, threadpool_limits

from tasks.core.threads import one_thread


def _blas():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_the_first_to_leave_does_not_give_the_others_more_threads():
    """BLAS has one number of threads for the whole process: it is one as long as anybody needs it to be."""
    import numpy as np

    np.linalg.inv(np.eye(2))
    with threadpool_limits(2):
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


def test_what_was_allowed_before_is_allowed_again():
    """Scoring in a process does not slow down what is fitted in it later."""
    with threadpool_limits(2):
        with one_thread():
            assert _blas() == {1}
        assert _blas() == {2}
