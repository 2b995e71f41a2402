"""The choice between threads and processes."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

WORTH_SECONDS = 15  # what processes must save: they take some six seconds to start on two cores


def processes_are_faster(score: Callable[[], object], share: float, cores: int) -> bool:
    """Tell whether processes would do all of some work sooner than threads, their start included.

    Args:
        score: does a share of it.
        share: how large that is.
        cores: how many threads, or processes, there would be.
    """
    alone = _seconds(score, 1)
    if alone / share < WORTH_SECONDS:
        return False
    return (_seconds(score, cores) - alone) / share / cores > WORTH_SECONDS


def _seconds(work: Callable[[], object], threads: int) -> float:
    """Time some work on so many threads at once, each of which does all of it."""
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        for each in [pool.submit(work) for _ in range(threads)]:
            each.result()
        return time.perf_counter() - started
