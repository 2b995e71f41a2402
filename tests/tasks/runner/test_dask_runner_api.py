"""What the API knows of tasks on Dask: states, inputs, logs, limits and cached results."""

import time

from prefect import get_run_logger, tags, task
from prefect.cache_policies import INPUTS
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import LogFilter
from prefect.futures import wait

HANGS = 60  # seconds; time itself is never asserted


@task(task_run_name="add-{a}-{b}")
def add(a, b=1):
    return a + b


@task
def fail():
    raise ValueError("no luck")


def ids_of(inputs):
    return [found.id for found in inputs]


def test_names_tags_final_states_and_inputs_are_in_the_api(runner, play, runs_of):
    @task(task_run_name="first", tags=["mine"])
    def tagged():
        return 1

    def body():
        with tags("of-flow"):
            first, failed = tagged.submit(), fail.submit()
            dependents = [
                add.submit(first, b=2),
                add.submit(failed, b=3),
                add.submit(5, wait_for=[first]),
            ]
            wait(dependents)

    runs = runs_of(play(runner, body), 4)
    first, second, waiting = runs["first"], runs["add-1-2"], runs["add-5-1"]
    assert {name.split("-")[0] for name in runs} == {"first", "fail", "add"}
    assert set(first.tags) == {"mine", "of-flow"}
    assert (first.state_name, second.state_name) == ("Completed", "Completed")
    assert ids_of(second.task_inputs["a"]) == [first.id]
    assert ids_of(waiting.task_inputs["wait_for"]) == [first.id]
    assert all(run.start_time <= run.end_time for run in runs.values())


def test_logs_of_tasks_are_in_the_api_with_their_task_run(runner, play, runs_of, from_api):
    @task
    def speak(number):
        get_run_logger().info("word %s", number)

    def body():
        speak.map([1, 2]).wait()

    runs = runs_of(play(runner, body), 2)
    run_ids = {run.id for run in runs.values()}
    of_runs = LogFilter(task_run_id={"any_": list(run_ids)})

    def words(client):
        return [log for log in client.read_logs(of_runs) if "word" in log.message]

    logs = from_api(words, 2)
    assert {log.message for log in logs} == {"word 1", "word 2"}
    assert {log.task_run_id for log in logs} == run_ids


def test_a_cached_result_is_not_computed_again(runner, play, tmp_path):
    seen = tmp_path / "seen"

    @task(cache_policy=INPUTS, persist_result=True)
    def note(path, salt):
        with path.open("a") as file:
            file.write("x")
        return 42

    def body():
        future = note.submit(seen, str(tmp_path))
        return future.result(), future.state.name

    results = [play(runner, body).result() for _ in range(2)]
    assert results == [(42, "Completed"), (42, "Cached")]
    assert seen.read_text() == "x"


def test_a_limit_on_a_tag_holds_across_workers(runner, play, tmp_path):
    path, tag = tmp_path / "inside", f"one-{tmp_path.name}"
    with get_client(sync_client=True) as client:
        client.create_concurrency_limit(tag, 1)

    @task(tags=[tag])
    def enter():
        with path.open("a") as file:
            file.write("(")
        time.sleep(0.2)
        with path.open("a") as file:
            file.write(")")

    def body():
        futures = [enter.submit() for _ in range(3)]
        return [future.result() for future in futures]

    play(runner, body)
    assert path.read_text() == "()()()"


def test_what_is_not_done_when_the_flow_ends_is_cancelled(processes, play, runs_of, tmp_path):
    """One runs, one waits for it: neither is left open, and the flow does not wait for them."""

    @task
    def hang(path):
        path.touch()
        for _ in range(HANGS * 100):
            time.sleep(0.01)
            if not path.exists():
                return

    def body():
        hang.submit(tmp_path / "begun")
        add.submit(1, wait_for=[hang.submit(tmp_path / "begun too")])
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.01)

    state = play(processes, body)
    runs = runs_of(state, 2)
    for path in tmp_path.iterdir():
        path.unlink()
    assert state.name == "Completed"
    ends = {(run.state_name, run.state.message) for run in runs.values()}
    assert ends == {("Cancelled", "The flow ended before it did.")}
