"""Messages between the workers, the scheduler and the flow."""

import pickle
from dataclasses import dataclass
from typing import Any, ClassVar

import cloudpickle

Items = list[tuple[str, Any]]  # events and logs of Prefect, each after its kind
Packed = dict[str, Any]  # a message as plain data, which is all that an event of Dask may hold


@dataclass(frozen=True)
class Call:
    """One run of a task.

    `task` and `context` are the names under which both were shared before; `arguments` are pickled.
    """

    key: str
    topic: str
    task: str = ""
    context: str = ""
    arguments: bytes = b""


@dataclass(frozen=True)
class EventsSent:
    """Events and logs of a task that is not done, and of the tasks it has submitted."""

    key: str
    items: Items


@dataclass(frozen=True)
class TaskDone:
    """The final state of a task, after the events and logs that were not sent before."""

    key: str
    state: Any
    items: Items


@dataclass(frozen=True)
class WorkerDied:
    """A task lost its worker.

    `near_limit`: when last seen, the worker's memory was near its limit; `used`: as a sentence says
    it, "1.20 GiB of 2.00 GiB".
    """

    key: str
    worker: str
    pid: int
    near_limit: bool
    used: str


@dataclass(frozen=True)
class TaskErred:
    """A task has no final state, for another reason than the death of its worker.

    `reason` follows the name of the task in a sentence: "could not be run: ...".
    """

    key: str
    reason: str


@dataclass(frozen=True)
class WorkerCount:
    """How many workers the scheduler has now."""

    count: int
    key: ClassVar[str] = ""  # it is about no task


Message = EventsSent | TaskDone | WorkerDied | TaskErred | WorkerCount
KINDS: dict[str, type[Message]] = {
    kind.__name__: kind for kind in (EventsSent, TaskDone, WorkerDied, TaskErred, WorkerCount)
}


def pack(message: Message) -> Packed:
    """Return a message as plain data; its kind and key are readable where its content is not."""
    # Only a result needs cloudpickle, which is slower.
    dumps = cloudpickle.dumps if isinstance(message, TaskDone) else pickle.dumps
    return {
        "kind": type(message).__name__,
        "key": message.key,
        "content": dumps(vars(message)),
    }


def unpack(packed: Packed) -> Message:
    """Return the message that was packed.

    A result that cannot be unpickled here (the class of an exception may take other arguments than
    it keeps) is an error of its task, which would otherwise never end.
    """
    kind = KINDS[packed["kind"]]
    try:
        fields = cloudpickle.loads(packed["content"])
    except Exception as error:
        if kind is not TaskDone:
            raise
        return TaskErred(packed["key"], f"ran, but its result cannot be read here: {error!r}")
    return kind(**fields)


def topic_of(client: str) -> str:
    """Return the name of all that belongs to a client's flow: its tasks, messages and plugins."""
    return f"afterfit-{client}"
