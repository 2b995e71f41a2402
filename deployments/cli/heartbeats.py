"""The heartbeats by which Prefect notices a flow run that has died."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.settings import (
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    get_current_settings,
    temporary_settings,
)


@contextmanager
def without_heartbeats() -> Iterator[None]:
    """Send no heartbeats while the body runs, unless the user has set how often.

    At its end a flow waits up to a second for the thread that sends them, one in three minutes.
    Runs of deployments do not come by here, and keep theirs.
    """
    if "heartbeat_frequency" in get_current_settings().flows.model_fields_set:
        yield
        return

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield
