"""What Prefect promises of a task runner, on threads and on processes: parameters and results."""

import os
import time

import pytest
from prefect import task, unmapped
from prefect.futures import as_completed, wait

HANGS = 60  # seconds; time itself is never asserted


@task
def add(a, b=1):
    return a + b


@task
def total(nested):
    return sum(nested["a"]) + nested["b"]["c"][0]


def test_a_submitted_task_gives_its_result_and_its_state(runner, play):
    def body():
        future = add.submit(1, b=2)
        result = future.result()
        run_id = future.state.state_details.task_run_id
        return result, future.state.name, future.task_run_id == run_id

    assert play(runner, body).result() == (3, "Completed", True)


def test_a_mapped_task_runs_once_for_each_item_and_shares_what_is_unmapped(runner, play):
    def body():
        with_one = add.map([1, 2, 3], b=unmapped(10))
        in_pairs = add.map([1, 2], [3, 4])
        return with_one.result(), in_pairs.result()

    assert play(runner, body).result() == ([11, 12, 13], [4, 6])


def test_futures_are_parameters_of_other_tasks_however_deep(runner, play):
    def body():
        first = add.submit(1)
        second = add.submit(first, b=first)
        nested = {"a": [first, second, 1], "b": {"c": (second,)}}
        return total.submit(nested).result()

    assert play(runner, body).result() == 2 + 4 + 1 + 4


def test_futures_of_one_map_are_items_of_the_next(runner, play):
    def body():
        first = add.map([1, 2, 3])
        return add.map(first).result()

    assert play(runner, body).result() == [3, 4, 5]


def test_a_task_begins_after_those_it_waits_for(runner, play, tmp_path):
    path = tmp_path / "order"

    @task
    def write(word, seconds=0.0):
        time.sleep(seconds)
        with path.open("a") as file:
            file.write(word)

    def body():
        first = write.submit("a", 0.5)
        second = write.submit("b", wait_for=[first])
        write.map(["c", "c"], wait_for=[second]).wait()

    play(runner, body)
    assert path.read_text() == "abcc"


def test_what_is_waited_for_may_come_from_a_generator(runner, play, tmp_path):
    path = tmp_path / "first"

    @task
    def write():
        time.sleep(0.5)
        path.touch()

    @task
    def look():
        return path.exists()

    def body():
        first = write.submit()
        return look.submit(wait_for=(future for future in [first])).result()

    assert play(runner, body).result() is True


def test_futures_can_be_waited_for_together_and_taken_as_they_are_done(runner, play):
    def body():
        futures = [add.submit(number) for number in range(4)]
        taken = as_completed(futures, timeout=HANGS)
        results = sorted(future.result() for future in taken)
        return results, len(wait(futures).done)

    assert play(runner, body).result() == ([1, 2, 3, 4], 4)


def test_a_result_is_not_waited_for_longer_than_asked(runner, play):
    @task
    def slow():
        time.sleep(2)
        return "done"

    def body():
        future = slow.submit()
        with pytest.raises(TimeoutError, match="did not complete within"):
            future.result(timeout=0.1)
        return future.result()

    assert play(runner, body).result() == "done"


def test_futures_a_flow_gives_back_are_its_result(runner, play):
    def body():
        return add.map([1, 2])

    states = play(runner, body).result()
    assert [state.result() for state in states] == [2, 3]


def test_a_big_result_and_a_big_parameter_arrive_whole(runner, play):
    content = os.urandom(5_000_000)

    @task
    def double(given):
        return given * 2

    def body():
        return double.submit(content).result()

    assert play(runner, body).result() == content * 2


def test_a_task_is_submitted_outside_of_a_flow(runner, outside_of_flows):
    with runner:
        future = runner.submit(add, {"a": 1, "b": 2})
        assert future.result() == 3
