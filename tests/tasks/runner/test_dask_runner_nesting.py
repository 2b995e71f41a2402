"""Tasks that submit tasks, subflows and asynchronous tasks, on threads and on processes."""

import asyncio

from prefect import flow, task


@task(task_run_name="add-{a}-{b}")
def add(a, b=1):
    return a + b


def test_tasks_submit_tasks_and_wait_for_them_on_the_place_of_their_own(runner, play, runs_of):
    """More parents than places, each waiting for two children: nothing waits for ever."""

    @task(task_run_name="parent-{number}")
    def parent(number):
        children = add.map([number, number])
        return sum(children.result())

    def body():
        return parent.map(range(4)).result()

    state = play(runner, body)
    assert state.result() == [2, 4, 6, 8]
    runs = runs_of(state, 12)
    assert {run.state_name for run in runs.values()} == {"Completed"}
    parents = runs["add-3-1"].task_inputs["__parents__"]
    assert [parent.id for parent in parents] == [runs["parent-3"].id]


def test_a_task_calls_another(runner, play):
    @task
    def outer():
        return add(1), add(2)

    def body():
        return outer.submit().result()

    assert play(runner, body).result() == (2, 3)


def test_async_tasks_run_in_flows_of_both_kinds(runner, play):
    @task
    async def wait_and_add(a):
        await asyncio.sleep(0.01)
        return a + 1

    @flow(task_runner=runner)
    async def fan_out():
        futures = wait_and_add.map([1, 2])
        results = [future.result() for future in futures]
        return [*results, await wait_and_add(3)]

    def body():
        return wait_and_add.map([1, 2]).result()

    assert play(runner, body).result() == [2, 3]
    assert asyncio.run(fan_out()) == [2, 3, 4]


def test_a_subflow_has_a_runner_of_its_own_and_takes_futures(runner, play):
    @flow(task_runner=runner)
    def inner(number):
        return add.submit(number).result()

    def body():
        of_a_result = inner(add.submit(1).result())
        of_a_number = inner(5)
        state = inner(7, return_state=True)
        return of_a_result, of_a_number, add.submit(state).result()

    assert play(runner, body).result() == (3, 6, 9)


def test_a_task_runs_a_subflow(runner, play):
    @flow(task_runner=runner)
    def inner(number):
        return add.submit(number).result()

    @task
    def outer(number):
        return inner(number)

    def body():
        return outer.map([1, 2]).result()

    assert play(runner, body).result() == [2, 3]
