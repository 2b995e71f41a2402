"""Messages travel as plain data, and arrive as they were."""

import pickle

import msgpack
import pytest

from tasks.runner.messages import (
    EventsSent,
    TaskDone,
    TaskErred,
    WorkerCount,
    WorkerDied,
    pack,
    unpack,
)

EVERY_KIND = [
    EventsSent("a key", [("log", {"message": "one"})]),
    TaskDone("a key", {"any": "state"}, [("log", {"message": "two"})]),
    WorkerDied("a key", worker="tcp://w", pid=1, near_limit=True, used="1 GiB of 1 GiB"),
    TaskErred("a key", "could not be run: no luck"),
    WorkerCount(3),
]


class TwoWordsError(Exception):
    """One that cannot be made from what it keeps, as `pickle` does."""

    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


@pytest.mark.parametrize("message", EVERY_KIND, ids=lambda message: type(message).__name__)
def test_a_message_survives_the_wire_as_plain_data(message):
    wired = msgpack.unpackb(msgpack.packb(pack(message)))
    assert unpack(wired) == message


def test_classes_and_functions_of_a_script_arrive_in_a_result():
    def defined_here():
        return "from afar"

    assert unpack(pack(TaskDone("a key", defined_here, []))).state() == "from afar"


def test_a_result_that_cannot_be_unpickled_is_an_error_of_its_task():
    found = unpack(pack(TaskDone("a key", TwoWordsError("no", "luck"), [])))
    assert (type(found), found.key) == (TaskErred, "a key")
    assert found.reason.startswith("ran, but its result cannot be read here: TypeError(")


def test_any_other_message_that_cannot_be_unpickled_raises():
    packed = pack(TaskErred("a key", "no luck")) | {"content": b"no pickle"}
    with pytest.raises(pickle.UnpicklingError, match="invalid load key"):
        unpack(packed)
