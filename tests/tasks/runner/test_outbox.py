"""What a task on a worker has to tell its flow, and when."""

import threading
from types import SimpleNamespace

import pytest

from tasks.runner.engine import EVENT, LOG, TASK_RUN
from tasks.runner.messages import Call, EventsSent, TaskDone, unpack
from tasks.runner.outbox import Outbox


@pytest.fixture
def sent():
    """The messages that the worker has sent."""
    return []


@pytest.fixture
def outbox(sent):
    def log_event(topic, packed):
        assert (topic, packed["key"]) == ("a topic", "a key")
        sent.append(unpack(packed))

    worker = SimpleNamespace(log_event=log_event)
    return Outbox(Call("a key", "a topic"), worker)


def event(name):
    return SimpleNamespace(event=f"{TASK_RUN}{name}")


def test_that_a_task_runs_is_told_at_once_and_the_rest_with_its_end(outbox, sent):
    outbox.put(EVENT, event("Pending"))
    assert sent == []

    outbox.put(EVENT, event("Running"))
    first = EventsSent("a key", [(EVENT, event("Pending")), (EVENT, event("Running"))])
    assert sent == [first]

    outbox.put(LOG, {"message": "one"})
    outbox.put(EVENT, event("Completed"))
    outbox.close("a state")
    outbox.flush()
    rest = [(LOG, {"message": "one"}), (EVENT, event("Completed"))]
    assert sent == [first, TaskDone("a key", "a state", rest)]


def test_what_several_threads_put_is_sent_once_each_in_the_order_of_each(outbox, sent):
    def put(thread):
        for number in range(200):
            outbox.put(LOG, (thread, number))
            if number % 7 == 0:
                outbox.flush()

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox.flush()

    items = [item for message in sent for _, item in message.items]
    for thread in range(4):
        assert [number for of, number in items if of == thread] == list(range(200))
    assert len(items) == 4 * 200
