"""Many small tasks: our task runner against four others.

They are prefect-dask's own, Prefect's threads, bare Dask, and Airflow.
"""

import json
import sys

from benchmarks.command import Command, take
from benchmarks.contest import tell
from benchmarks.result import Result, at_least, at_most, compare
from benchmarks.scripts import FOLDER
from benchmarks.venvs import python_of
from benchmarks.workshop import Workshop

RUNS = 3
NO_OPS = 1_000
RESTING = 200
RECORDED = 3_000
RECORDED_SECONDS = 10.0  # how late the API may know of the last of so many tasks
MAPPED = 100  # in Airflow, which takes half a second for each
MINE = "afterfit"
Seconds = dict[str, list[float]]


def many_tasks(workshop: Workshop) -> list[Result]:
    """Measure the tasks themselves; servers and workers have started."""
    env = take(workshop.home.afterfit("env", "--json"))
    variables = json.loads(env.output)["environment"]
    count = max(20, int(NO_OPS * workshop.scale))

    turns = [run_all(variables, count) for _ in range(workshop.runs or RUNS)]
    seconds = {name: [turn[name] for turn in turns] for name in turns[0]}
    return [
        over_prefect_dask(seconds, count),
        over_threads(seconds, count),
        over_dask(seconds),
        until_recorded(seconds),
        over_airflow(seconds),
    ]


def over_prefect_dask(seconds: Seconds, count: int) -> Result:
    """Compare prefect-dask with ours."""
    title = f"{count:,} no-op tasks by `map`: prefect-dask's seconds over ours"
    ours, other = seconds["no_ops"], seconds["stock"]
    return compare("tasks_stock", title, "s", other, ours, at_least(12))


def over_threads(seconds: Seconds, count: int) -> Result:
    """Compare ours with Prefect's threads."""
    title = f"{count:,} no-op tasks by `map`: our seconds over those of Prefect's threads"
    ours, other = seconds["no_ops"], seconds["threads"]
    return compare("tasks_threads", title, "s", ours, other, at_most(2.5))


def over_dask(seconds: Seconds) -> Result:
    """Compare ours with Dask alone."""
    title = f"{RESTING} tasks of 50 ms in a diamond: our seconds over those of Dask alone"
    ours, other = seconds["diamond"], seconds["bare"]
    return compare("tasks_diamond", title, "s", ours, other, at_most(1.3))


def until_recorded(seconds: Seconds) -> Result:
    """Compare how late the API knows of all tasks with what is allowed."""
    until = "seconds until the API has all as Completed, of the 10 allowed"
    title = f"{RECORDED:,} no-op tasks: {until}"
    ours = seconds["recorded"]
    allowed = [RECORDED_SECONDS] * len(ours)
    return compare("tasks_recorded", title, "s", ours, allowed, at_most(1))


def over_airflow(seconds: Seconds) -> Result:
    """Compare Airflow with ours."""
    over = "seconds of Airflow's LocalExecutor over ours"
    title = f"{MAPPED} no-op tasks by dynamic mapping: {over}"
    ours, other = seconds["mapped"], seconds["airflow"]
    return compare("tasks_airflow", title, "s", other, ours, at_least(1))


def run_all(variables: dict[str, str], count: int) -> dict[str, float]:
    """Run all of them once, in turn."""
    return {
        "no_ops": run(variables, "no_ops", MINE, count),
        "threads": run(variables, "no_ops", "threads", count),
        "diamond": run(variables, "diamond", MINE, RESTING),
        "bare": run(variables, "diamond", "bare", RESTING),
        "stock": run(variables, "no_ops", "stock", count),
        "recorded": run(variables, "recorded", MINE, RECORDED),
        "mapped": run(variables, "no_ops", MINE, MAPPED),
        "airflow": run_airflow(),
    }


def run_airflow() -> float:
    """Run Airflow's tasks in an environment of its own, and return the seconds it counted."""
    script = FOLDER / "airflow_tasks.py"
    command = Command([python_of("airflow_tasks"), script, str(MAPPED)])
    return seconds_counted(command, f"{MAPPED} on Airflow")


def run(variables: dict[str, str], what: str, who: str, count: int) -> float:
    """Run one of them in a process of its own, and return the seconds it counted."""
    script = FOLDER / "tasks.py"
    command = Command([sys.executable, script, what, who, str(count)], variables)
    return seconds_counted(command, f"{what} of {count:,} on {who}")


def seconds_counted(command: Command, what: str) -> float:
    """Run a command; return the seconds that it counted itself, and printed last."""
    taken = take(command)
    seconds = float(taken.output.split()[-1])
    tell(f"tasks: {what} took {seconds:.2f} s, {taken.seconds:.2f} s in all")
    return seconds
