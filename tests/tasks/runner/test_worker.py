"""Tasks on Dask's workers: what a task has to tell, what workers share, and what the scheduler does
with lost tasks.
"""

import os
import pickle
import signal
import threading
import time
from types import SimpleNamespace

import pytest
from distributed import Client, KilledWorker, LocalCluster

from tasks.runner import engine, messages, scheduler, worker
from tasks.runner.mailroom import MAILROOM
from tasks.runner.outbox import Outbox

HANGS = 60  # seconds; time itself is never asserted
LOOPBACK = {
    "dashboard_address": "127.0.0.1:0",
    "worker_dashboard_address": "127.0.0.1:0",
    "host": "127.0.0.1",
}


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, **LOOPBACK) as started:
        yield started


@pytest.fixture
def client(cluster):
    with Client(cluster, set_as_default=False) as connected:
        connected.wait_for_workers(1, timeout=HANGS)
        yield connected


@pytest.fixture
def heard(client):
    """The messages of the flow of a client, which is watched."""
    told, topic = [], messages.topic_of(client.id)
    client.subscribe_topic(topic, lambda event: told.append(messages.unpack(event[1])))
    client.register_plugin(scheduler.RunOnceGuard(client.id))
    knock = messages.pack(messages.WorkerCount(0))
    assert eventually(lambda: told or client.log_event(topic, knock))
    return told


def eventually(look):
    deadline = time.monotonic() + HANGS
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def of_class(kind, heard):
    return [message for message in heard if isinstance(message, kind)]


def key_of(client, name):
    return f"{messages.topic_of(client.id)}-{name}"


# What a task has to tell


@pytest.fixture
def outbox():
    """An outbox whose messages are kept."""
    sent = []

    def log_event(topic, message):
        assert (topic, message["key"]) == ("a topic", "a key")
        sent.append(messages.unpack(message))

    made = Outbox(messages.Call("a key", "a topic"), SimpleNamespace(log_event=log_event))
    made.sent = sent
    return made


def event(name):
    return SimpleNamespace(event=f"{engine.TASK_RUN}{name}")


def test_that_a_task_runs_is_told_at_once_with_all_before_it_and_the_rest_with_its_end(outbox):
    outbox.put(engine.EVENT, event("Pending"))
    assert outbox.sent == []
    outbox.put(engine.EVENT, event("Running"))
    outbox.put(engine.LOG, {"message": "one"})
    outbox.put(engine.EVENT, event("Completed"))
    outbox.close("a state")
    outbox.flush()
    before = [(engine.EVENT, event("Pending")), (engine.EVENT, event("Running"))]
    after = [(engine.LOG, {"message": "one"}), (engine.EVENT, event("Completed"))]
    assert outbox.sent == [
        messages.EventsSent("a key", before),
        messages.TaskDone("a key", "a state", after),
    ]


def test_what_several_threads_put_is_sent_once_each_in_the_order_of_each(outbox):
    def put(thread):
        for number in range(200):
            outbox.put(engine.LOG, (thread, number))
            if number % 7 == 0:
                outbox.flush()

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox.flush()
    items = [item for message in outbox.sent for _, item in message.items]
    assert sorted(items) == [(thread, number) for thread in range(4) for number in range(200)]


# What workers share


def shared():
    return sorted(MAILROOM._shared)


def test_a_worker_that_comes_later_has_what_was_shared_before_and_forgets_it_with_the_flow(
    client, cluster, heard
):
    name = key_of(client, "share")
    client.register_plugin(worker.SharedBytes(name, b"content"))
    cluster.scale(2)
    with Client(cluster, set_as_default=False) as other:
        other.wait_for_workers(2, timeout=HANGS)
        assert list(other.run(shared).values()) == [[name], [name]]
        client.close()
        assert eventually(lambda: list(other.run(shared).values()) == [[], []])
        assert not [left for left in other.run_on_scheduler(plugins) if "afterfit" in left]
    cluster.scale(1)


def plugins(dask_scheduler):
    return [*dask_scheduler.plugins, *dask_scheduler.worker_plugins]


# What the scheduler does


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_task_whose_worker_dies_is_given_up_at_once_and_told_with_the_address(client, heard):
    """Without a watch, Dask would run it again three times, on one worker after the other."""
    ((address, pid),) = client.run(os.getpid).items()
    key = key_of(client, "die")
    client.submit(die, key=key, pure=False).release()
    (lost,) = eventually(lambda: of_class(messages.WorkerDied, heard))
    used = lost.used
    assert lost == messages.WorkerDied(key, address, pid, near_limit=False, used=used)
    assert used.startswith(tuple("123456789"))


def test_a_task_is_kept_until_it_is_done_though_nobody_holds_its_future_and_then_forgotten(
    client, heard, tmp_path
):
    client.wait_for_workers(1, timeout=HANGS)
    key, mark = key_of(client, "touch"), tmp_path / "mark"
    client.submit(mark.touch, key=key, pure=False).release()
    assert eventually(mark.exists)
    assert eventually(
        lambda: not client.run_on_scheduler(lambda dask_scheduler: key in dask_scheduler.tasks)
    )


def test_what_goes_wrong_on_the_way_to_a_task_is_told_as_text(client, heard):
    client.submit(
        worker.execute,
        messages.Call("a key", "", "no such task", "no such context"),
        key=key_of(client, "none"),
    )
    (erred,) = eventually(lambda: of_class(messages.TaskErred, heard))
    assert erred.reason.startswith("could not be run: ")
    assert "no such context" in erred.reason


def test_messages_that_were_sent_on_are_not_kept(client, heard):
    """`Scheduler._broker.truncate` is no promise of Dask's: without it 100,000 of them would be."""
    topic = messages.topic_of(client.id)
    sent = [messages.EventsSent("a key", [("a number", number)]) for number in range(20)]
    for message in sent:
        client.log_event(topic, messages.pack(message))
    assert eventually(lambda: of_class(messages.EventsSent, heard) == sent)
    assert client.get_events(topic) == ()


def test_the_tasks_of_a_flow_that_has_gone_are_dropped(client, cluster, heard):
    prefix = key_of(client, "")
    for number in range(3):
        client.submit(time.sleep, 0.2, key=f"{prefix}{number}", pure=False).release()
    client.close()

    def left(dask_scheduler):
        return [key for key in dask_scheduler.tasks if str(key).startswith(prefix)]

    with Client(cluster, set_as_default=False) as other:
        assert eventually(lambda: not other.run_on_scheduler(left))


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
    details = {
        "exception": pickle.dumps(KilledWorker("a task", None, 0)),
        "exception_text": "killed",
    }
    assert scheduler.reason_of_loss("a key", details, died) == messages.WorkerDied(
        "a key", "tcp://w", 1, near_limit=near_limit, used=told
    )


@pytest.mark.parametrize(
    ("details", "text"),
    [
        (
            {"exception": pickle.dumps(OSError("broken")), "exception_text": "OSError('broken')"},
            "OSError('broken')",
        ),
        ({"exception": b"no pickle"}, "the scheduler gave it up"),
        ({}, "the scheduler gave it up"),
    ],
)
def test_whatever_else_a_task_was_given_up_for_is_told_as_text(details, text):
    expected = messages.TaskErred("a key", f"could not be run: {text}")
    assert scheduler.reason_of_loss("a key", details, None) == expected
