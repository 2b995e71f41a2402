import pickle

import pytest

from tasks.core.errors import AfterfitError, GateError, RequestError, WorkerLostError


@pytest.mark.parametrize(
    ("kind", "status"),
    [(AfterfitError, 1), (RequestError, 2), (GateError, 3), (WorkerLostError, 1)],
)
def test_each_error_has_the_exit_status_of_its_kind(kind, status):
    assert kind("a sentence").exit_status == status


@pytest.mark.parametrize("memory", [True, False])
def test_a_lost_worker_still_says_why_after_pickling(memory):
    """It travels from a worker to the flow."""
    sent = pickle.dumps(WorkerLostError("gone", memory=memory))
    received = pickle.loads(sent)  # noqa: S301 - our own
    assert (str(received), received.memory) == ("gone", memory)
