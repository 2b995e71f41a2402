"""The future of a task run on Dask."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from prefect.futures import PrefectConcurrentFuture, PrefectFuture

from tasks.runner import engine


class DaskFuture(PrefectConcurrentFuture[Any]):
    """A task run on Dask, or to be."""

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
        """Wait for the result, and return it; one at hand takes no detour by an event loop.

        Raises:
            WorkerLostError: the worker died, and the task has no retries left.
        """
        if timeout is None:
            self.wait()
        state: Any = self._final_state
        if state and engine.has_result(state):
            return state.data.result
        return super().result(timeout, raise_on_failure)


def when_done(futures: Sequence[PrefectFuture[Any]], act: Callable[[], None]) -> None:
    """Act as soon as all futures are done: at once, or from the last one's callback."""
    counting = threading.Lock()
    left = len(futures) + 1

    def count_one(_: object = None) -> None:
        nonlocal left
        with counting:
            left -= 1
            was_last = left == 0
        if was_last:
            act()

    for future in futures:
        future.add_done_callback(count_one)
    count_one()
