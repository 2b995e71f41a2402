"""When a cluster is said to do nothing any more."""

from types import SimpleNamespace

import pytest

from tasks.runner.health import ClusterHealth


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
