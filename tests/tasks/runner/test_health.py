"""When a cluster is said to do nothing any more, and what its silence is used for."""

import logging
import threading
from types import SimpleNamespace

import pytest

from tasks.runner.health import ClusterHealth
from tasks.runner.inbox import Inbox
from tasks.runner.messages import TaskErred, WorkerCount, pack

HANGS = 60  # seconds; time itself is never asserted


@pytest.fixture
def client():
    return SimpleNamespace(status="running", scheduler=SimpleNamespace(address="tcp://s:1"))


@pytest.fixture
def clock():
    return SimpleNamespace(now=0.0)


@pytest.fixture
def health(client, clock):
    return ClusterHealth(client, None, no_workers_seconds=10, clock=lambda: clock.now)


def test_a_scheduler_without_workers_is_waited_for_a_while(health, clock):
    clock.now = 100.0
    assert health.reason_of_standstill() == ""
    health.note_workers(0)
    clock.now = 110.0
    assert health.reason_of_standstill() == ""
    clock.now = 110.1
    assert health.reason_of_standstill() == "The Dask scheduler has had no worker for 10 s."
    health.note_workers(1)
    assert health.reason_of_standstill() == ""


@pytest.mark.parametrize("status", ["connecting", "closing", "closed"])
def test_a_scheduler_that_went_away_is_named_by_its_address(health, client, status):
    client.status, client.scheduler = status, None
    assert health.reason_of_standstill() == "The Dask scheduler at tcp://s:1 went away."


# The inbox


@pytest.fixture
def inbox():
    return Inbox(logging.getLogger("inbox"))


def test_messages_are_read_in_order_whether_they_come_packed_or_not(inbox):
    read = []
    sent = [WorkerCount(1), TaskErred("a key", "no luck"), WorkerCount(2)]
    inbox.start(read.append, when_idle=lambda: None)
    inbox.put(pack(sent[0]))
    inbox.put(sent[1])
    inbox.put(pack(sent[2]))
    inbox.stop()
    assert read == sent


def test_a_message_that_cannot_be_read_is_logged_and_the_next_is_read(inbox, caplog):
    read = []
    inbox.put({"kind": "WorkerCount", "key": "", "content": b"no pickle"})
    inbox.put(WorkerCount(1))
    inbox.start(read.append, when_idle=lambda: None)
    inbox.stop()
    assert read == [WorkerCount(1)]
    assert "A message of a worker could not be read" in caplog.text


def test_silence_is_used_to_check_the_cluster_even_if_one_check_fails(inbox, caplog):
    checks, enough = [], threading.Event()

    def check():
        checks.append(len(checks))
        if len(checks) == 2:
            enough.set()
        raise ValueError

    inbox.start([].append, when_idle=check)
    assert enough.wait(HANGS)
    inbox.stop()
    assert "The cluster could not be checked" in caplog.text
