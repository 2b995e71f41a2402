"""What a flow sends to its workers, and what becomes of what cannot be sent."""

import threading
from types import SimpleNamespace
from uuid import uuid4

import pytest
from prefect import task

from tasks.runner.pending import PendingRun, PendingRuns
from tasks.runner.sender import Sender

HANGS = 60  # seconds; time itself is never asserted


@task
def nothing():
    """Do nothing."""


class FakeClient:
    """A client of a scheduler in this process, which notes what it is given."""

    def __init__(self):
        self.id, self.status = "client", "running"
        self.scheduler = SimpleNamespace(address="inproc://somewhere")
        self.batches, self.hold = [], threading.Event()
        self.hold.set()
        self.refusal = None

    def map(self, _, calls, key, pure):
        assert not pure
        self.batches.append(key)
        assert self.hold.wait(HANGS)
        if self.refusal:
            raise self.refusal
        return [SimpleNamespace(release=lambda: None) for _ in calls]


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def pending():
    return PendingRuns()


@pytest.fixture
def sender(client, pending):
    return Sender(client, pending, deliver=[].append)


@pytest.fixture
def send(sender, pending):
    """Send a run of a key, and return it."""

    def send_one(key):
        arguments = {"parameters": {}, "wait_for": None}
        run = PendingRun(key, uuid4(), nothing, arguments)
        pending.add(run)
        sender.send(run)
        return run

    return send_one


def test_all_calls_that_wait_are_submitted_at_once(client, sender, send):
    for key in ("a", "b", "c"):
        send(key)
    sender.start()
    sender.stop()
    assert client.batches == [["a", "b", "c"]]


def test_a_sender_stops_though_it_is_told_so_right_behind_a_call(client, sender, send):
    """The word to stop is then taken from the queue together with the call."""
    client.hold.clear()
    sender.start()
    send("a")
    while not client.batches:
        pass
    send("b")
    stopping = threading.Thread(target=sender.stop, daemon=True)
    stopping.start()
    client.hold.set()
    stopping.join(HANGS)
    assert not stopping.is_alive()
    assert client.batches == [["a"], ["b"]]


def test_calls_that_dask_refuses_end_crashed_and_the_next_ones_are_sent(client, sender, send):
    client.refusal = ValueError("no luck")
    refused = send("a")
    sender.start()
    state = refused.done.result(timeout=HANGS)
    client.refusal = None
    send("b")
    sender.stop()
    assert (state.name, state.message) == (
        "Crashed",
        "It could not be sent to a worker: no luck",
    )
    assert client.batches == [["a"], ["b"]]


def test_calls_refused_while_the_scheduler_is_away_are_left_to_the_check_of_the_cluster(
    client, sender, send
):
    client.refusal, client.status = ValueError("closed"), "closed"
    run = send("a")
    sender.start()
    sender.stop()
    assert not run.done.done()


def test_a_run_that_has_ended_is_not_sent(client, sender, pending, send):
    run = send("a")
    pending.finish(run, "a state")
    sender.send(run)
    sender.start()
    sender.stop()
    assert client.batches == [["a"]]
