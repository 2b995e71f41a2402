"""The future of a task run on Dask."""

from typing import Any

from prefect.futures import PrefectConcurrentFuture

from tasks.runner import engine


class DaskFuture(PrefectConcurrentFuture[Any]):
    """A task run on Dask, or to be."""

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
        """Wait, and give the result; one that is at hand without a detour through an event loop.

        Raises:
            WorkerLostError: the worker died, and the task has no retries left.
        """
        if timeout is None:
            self.wait()
        state: Any = self._final_state
        if state and engine.has_result(state):
            return state.data.result
        return super().result(timeout, raise_on_failure)
