"""The thread that reads messages: one by one, and what it does meanwhile."""

import logging
import threading

import pytest

from tasks.runner.inbox import Inbox
from tasks.runner.messages import TaskErred, WorkerCount, pack

HANGS = 60  # seconds; time itself is never asserted


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
