"""Messages between the workers, the scheduler and the flow."""

from dataclasses import dataclass

TOLD, DONE, LOST, ERRED, WORKERS = (
    "told",
    "done",
    "lost",
    "erred",
    "workers",
)  # what a message is about


@dataclass(frozen=True)
class Call:
    """One run of a task: `task` and `context` name what was shared before, `arguments` are
    pickled.
    """

    key: str
    topic: str
    task: str = ""
    context: str = ""
    arguments: bytes = b""


def topic_of(client: str) -> str:
    """Name all that belongs to the flow of a client: its tasks, its messages, its plugins."""
    return f"afterfit-{client}"
