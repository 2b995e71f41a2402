"""What the trial of a model finds out: whether it holds Python's lock while it predicts."""

import time

from tasks.core.scoring.worker_choice import WORTH_SECONDS, processes_are_faster

TINY = 1e-7  # of the work is done by one try: the whole takes days


def hold_lock():
    return sum(number * number for number in range(1_000_000))


def test_processes_pay_for_much_work_that_holds_the_lock():
    assert processes_are_faster(hold_lock, TINY, cores=2)


def test_processes_do_not_pay_for_little_work():
    assert not processes_are_faster(hold_lock, 0.1, cores=2)


def test_processes_do_not_pay_where_the_lock_is_released():
    """Two threads take as long as one: a sleep needs no core."""
    assert not processes_are_faster(lambda: time.sleep(0.1), 0.1 / (2 * WORTH_SECONDS), cores=2)
