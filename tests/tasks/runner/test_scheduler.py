"""What the scheduler does with the tasks of a flow, and what it tells the flow."""

import os
import pickle
import signal
import time
from types import SimpleNamespace

import pytest
from distributed import Client, KilledWorker

from tasks.runner import worker
from tasks.runner.messages import (
    Call,
    EventsSent,
    TaskErred,
    WorkerCount,
    WorkerDied,
    pack,
    topic_of,
    unpack,
)
from tasks.runner.scheduler import RunOnceGuard, reason_of_loss


@pytest.fixture
def heard(client, eventually):
    """The messages to the flow of a client, whose tasks are guarded."""
    messages, topic = [], topic_of(client.id)
    client.subscribe_topic(topic, lambda event: messages.append(unpack(event[1])))
    client.register_plugin(RunOnceGuard(client.id))
    knock = pack(WorkerCount(0))  # a subscription takes another way to the scheduler than an event
    assert eventually(lambda: messages or client.log_event(topic, knock))
    return messages


@pytest.fixture
def first_of(heard, eventually):
    """Wait for messages of a class, and return the first."""

    def wait_for(kind):
        found = eventually(lambda: [message for message in heard if isinstance(message, kind)])
        return found[0]

    return wait_for


def key_of(client, name):
    return f"{topic_of(client.id)}-{name}"


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_task_whose_worker_dies_is_given_up_at_once_and_told_with_the_address(client, first_of):
    """Without a guard, Dask would run it again three times, on one worker after the other."""
    ((address, pid),) = client.run(os.getpid).items()
    key = key_of(client, "die")
    client.submit(die, key=key, pure=False).release()
    died = first_of(WorkerDied)
    assert died == WorkerDied(key, address, pid, near_limit=False, used=died.used)
    assert died.used.startswith(tuple("123456789"))


def test_a_task_is_kept_until_it_is_done_though_nobody_holds_it_and_then_forgotten(
    client, heard, eventually, tmp_path
):
    key, mark = key_of(client, "touch"), tmp_path / "mark"
    client.submit(mark.touch, key=key, pure=False).release()
    assert eventually(mark.exists)

    def known(dask_scheduler):
        return key in dask_scheduler.tasks

    assert eventually(lambda: not client.run_on_scheduler(known))


def test_what_goes_wrong_on_the_way_to_a_task_is_told_as_text(client, first_of):
    call = Call("a key", "", "no such task", "no such context")
    client.submit(worker.execute, call, key=key_of(client, "none"))
    erred = first_of(TaskErred)
    assert erred.reason.startswith("could not be run: ")
    assert "no such context" in erred.reason


def test_messages_that_were_sent_on_are_not_kept(client, heard, eventually):
    topic = topic_of(client.id)
    sent = [EventsSent("a key", [("a number", number)]) for number in range(20)]
    for message in sent:
        client.log_event(topic, pack(message))

    def arrived():
        return [message for message in heard if isinstance(message, EventsSent)] == sent

    assert eventually(arrived)
    assert client.get_events(topic) == ()


def test_the_tasks_of_a_flow_that_has_gone_are_dropped(client, cluster, heard, eventually):
    prefix = key_of(client, "")
    for number in range(3):
        client.submit(time.sleep, 0.2, key=f"{prefix}{number}", pure=False).release()
    client.close()

    def left(dask_scheduler):
        return [key for key in dask_scheduler.tasks if str(key).startswith(prefix)]

    with Client(cluster, set_as_default=False) as other:
        assert eventually(lambda: not other.run_on_scheduler(left))


# Why a task was given up


@pytest.mark.parametrize(
    ("limit", "used", "near_limit", "told"),
    [
        (2**30, 2**30 * 3 // 4, True, "768.00 MiB of 1.00 GiB"),
        (2**30, 2**29, False, "512.00 MiB of 1.00 GiB"),
        (0, 2**30, False, "1.00 GiB"),
    ],
)
def test_a_worker_that_died_near_its_limit_died_of_memory(limit, used, near_limit, told):
    died = SimpleNamespace(address="tcp://w", pid=1, memory_limit=limit, metrics={"memory": used})
    killed = pickle.dumps(KilledWorker("a task", None, 0))
    found = reason_of_loss("a key", {"exception": killed, "exception_text": "killed"}, died)
    assert found == WorkerDied("a key", "tcp://w", 1, near_limit=near_limit, used=told)


BROKEN = pickle.dumps(OSError("broken"))


@pytest.mark.parametrize(
    ("details", "text"),
    [
        ({"exception": BROKEN, "exception_text": "OSError('broken')"}, "OSError('broken')"),
        ({"exception": b"no pickle"}, "the scheduler gave it up"),
        ({}, "the scheduler gave it up"),
    ],
)
def test_whatever_else_a_task_was_given_up_for_is_told_as_text(details, text):
    expected = TaskErred("a key", f"could not be run: {text}")
    assert reason_of_loss("a key", details, None) == expected
