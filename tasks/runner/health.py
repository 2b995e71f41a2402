"""Whether a cluster can still do what is pending."""

import time
from collections.abc import Callable
from typing import Any

from distributed import Client

from tasks.runner import dask_inside
from tasks.runner.local_cluster import Replacements

NO_WORKERS_SECONDS = 120.0  # how long a scheduler may lack workers: new ones take a while to start


class ClusterHealth:
    """Watches the scheduler and the workers of a session."""

    def __init__(
        self,
        client: Client,
        own_cluster: Any,
        no_workers_seconds: float = NO_WORKERS_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch the cluster of a client; `own_cluster` is None when somebody else started it."""
        self._client = client
        self._address = dask_inside.address_of(client)
        self._own_cluster = own_cluster
        self._replacements = Replacements(own_cluster) if own_cluster else None
        self._no_workers_seconds = no_workers_seconds
        self._clock = clock
        self._counted_at = clock()
        self._has_workers = True

    def note_workers(self, count: int) -> None:
        """Note how many workers there are now."""
        self._has_workers = count > 0
        self._counted_at = self._clock()

    def ended_for_memory(self, pid: int) -> bool:
        """Return whether a worker process of our own was ended near its memory limit."""
        return dask_inside.ended_for_memory(self._own_cluster, pid)

    def replace_lost_workers(self) -> None:
        """Start workers of our own in place of those that did not come back."""
        if self._replacements:
            self._replacements.start_missing()

    def reason_of_standstill(self) -> str:
        """Return why nothing that is pending can be done; an empty string if it can."""
        if not dask_inside.is_connected(self._client):
            return f"The Dask scheduler at {self._address} went away."
        if self._has_workers:
            return ""

        seconds = self._clock() - self._counted_at
        if seconds > self._no_workers_seconds:
            return f"The Dask scheduler has had no worker for {self._no_workers_seconds:.0f} s."
        return ""
