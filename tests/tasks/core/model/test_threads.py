"""One thread computes, whatever else runs in the process."""

import threading

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

from tasks.core.model.threads import one_thread, use_one_thread


def blas_threads():
    """How many threads each BLAS library may use."""
    np.linalg.inv(np.eye(2))
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_the_first_to_leave_does_not_give_the_others_more_threads():
    """BLAS has one number of threads for the process: it is one as long as anybody needs that."""
    inside, leave = threading.Event(), threading.Event()

    def other():
        with one_thread():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with one_thread():
        thread.start()
        inside.wait(10)

    assert blas_threads() == {1}
    leave.set()
    thread.join()


def test_what_was_allowed_before_is_allowed_again_whichever_thread_asks():
    """Scoring does not slow down what is fitted later; OpenBLAS heeds only one thread of all."""
    before, found = blas_threads(), []

    def other():
        with one_thread():
            found.append(blas_threads())

    for _ in range(2):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert blas_threads() == before

    assert found == [{1}, {1}]


def test_every_parallel_estimator_is_set_to_one_thread_and_nothing_else():
    pipeline = make_pipeline(StandardScaler(), RandomForestRegressor(n_estimators=7, n_jobs=4))
    assert use_one_thread(pipeline)[-1].n_jobs == 1
    assert pipeline[-1].n_estimators == 7

    assert use_one_thread(RandomForestRegressor()).n_jobs is None
    process = use_one_thread(GaussianProcessRegressor())
    assert process.get_params() == GaussianProcessRegressor().get_params()
