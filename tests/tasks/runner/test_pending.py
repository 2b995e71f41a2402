"""Task runs that are not done: how often they may lose a worker, and how they end."""

from uuid import uuid4

import pytest
from prefect import task
from prefect.states import Crashed

from tasks.core.errors import WorkerLostError
from tasks.runner.messages import WorkerDied
from tasks.runner.outcomes import reason_of_loss
from tasks.runner.pending import FREE_LOSSES, PendingRun, PendingRuns


@task(name="work")
def work():
    """Do nothing."""


def make_run(key="key", retries=0):
    return PendingRun(key, uuid4(), work.with_options(retries=retries), {})


@pytest.mark.parametrize(
    ("retries", "losses", "allowed"),
    [
        (0, ["begun"], False),
        (1, ["begun"], True),
        (1, ["begun", "begun"], False),
        (0, ["unbegun"] * FREE_LOSSES, True),
        (0, ["unbegun"] * (FREE_LOSSES + 1), False),
        (1, ["unbegun"] * FREE_LOSSES + ["begun"], True),
    ],
)
def test_a_begun_run_costs_a_retry_and_one_that_had_not_begun_is_free_three_times(
    retries, losses, allowed
):
    run = make_run(retries=retries)
    for loss in losses:
        run.begun = loss == "begun"
        run.count_loss()
    assert run.may_run_again() is allowed
    assert run.losses == len(losses)
    assert not run.begun


LOST = "work lost its worker tcp://w"
LAST_OF_THREE = ", the last of 3: something in it may kill workers"
NO_MEMORY = ", which had too little memory (when last seen it used 1 of 2): start fewer workers"


@pytest.mark.parametrize(
    ("retries", "losses", "memory", "told"),
    [
        (0, 1, False, f"{LOST}."),
        (2, 1, False, f"{LOST}."),
        (2, 3, False, f"{LOST}{LAST_OF_THREE}."),
        (2, 1, True, f"{LOST}{NO_MEMORY}."),
    ],
)
def test_how_a_run_lost_its_worker_is_told_in_a_sentence(retries, losses, memory, told):
    run = make_run(retries=retries)
    for _ in range(losses):
        run.begun = True
        run.count_loss()
    died = WorkerDied("key", "tcp://w", 1, near_limit=memory, used="1 of 2")
    reason = reason_of_loss(run, died, memory=memory)
    assert (type(reason), str(reason), reason.memory) == (WorkerLostError, told, memory)


def test_all_runs_end_the_last_submitted_first_each_with_a_state_of_its_own():
    pending, order = PendingRuns(), []
    runs = [make_run(key) for key in ("a", "b", "c")]
    for run in runs:
        pending.add(run)
        run.done.add_done_callback(lambda _, key=run.key: order.append(key))
    pending.end_all(lambda: Crashed(message="gone"))
    assert order == ["c", "b", "a"]
    states = [run.done.result() for run in runs]
    assert len({id(state) for state in states}) == 3
    for run in runs:
        assert pending.find(run.key) is None


def test_a_run_that_is_sent_again_is_found_by_its_new_key_only():
    pending, run = PendingRuns(), make_run("old")
    pending.add(run)
    pending.rename(run, "new")
    assert (pending.find("old"), pending.find("new")) == (None, run)


def test_a_run_is_finished_once():
    pending, run = PendingRuns(), make_run()
    pending.add(run)
    pending.finish(run, "first")
    pending.finish(run, "second")
    assert run.done.result() == "first"
