"""Many small tasks: our task runner against prefect-dask's own, Prefect's threads, bare Dask, and
Airflow.
"""

import json
import sys

from benchmarks.command import Command, take
from benchmarks.contest import tell
from benchmarks.result import Result, Target, at_least, at_most, compare
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


def many_tasks(workshop: Workshop) -> list[Result]:
    """Measure the tasks themselves; servers and workers have started."""
    variables = json.loads(take(workshop.home.afterfit("env", "--json")).output)["environment"]
    count = max(20, int(NO_OPS * workshop.scale))
    titles = {
        "stock": (
            f"{count:,} no-op tasks by `map`: prefect-dask's seconds over ours",
            at_least(12),
        ),
        "threads": (
            f"{count:,} no-op tasks by `map`: our seconds over those of Prefect's threads",
            at_most(2.5),
        ),
        "bare": (
            f"{RESTING} tasks of 50 ms in a diamond: our seconds over those of Dask alone",
            at_most(1.3),
        ),
        "recorded": (
            f"{RECORDED:,} no-op tasks: seconds until the API has all as Completed, of the 10 allowed",
            at_most(1),
        ),
        "airflow": (
            f"{MAPPED} no-op tasks by dynamic mapping: seconds of Airflow's LocalExecutor over ours",
            at_least(1),
        ),
    }
    turns = [run_all(variables, count) for _ in range(workshop.runs or RUNS)]
    found = {name: [turn[name] for turn in turns] for name in turns[0]}
    return [
        row("tasks_stock", *titles["stock"], found["stock"], found["no_ops"]),
        row("tasks_threads", *titles["threads"], found["no_ops"], found["threads"]),
        row("tasks_diamond", *titles["bare"], found["diamond"], found["bare"]),
        row(
            "tasks_recorded",
            *titles["recorded"],
            found["recorded"],
            [RECORDED_SECONDS] * len(turns),
        ),
        row("tasks_airflow", *titles["airflow"], found["airflow"], found["mapped"]),
    ]


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
    """Run Airflow's tasks in an environment of its own, and give the seconds it counted."""
    taken = take(
        Command([python_of("airflow_tasks"), FOLDER / "airflow_tasks.py", str(MAPPED)], {})
    )
    seconds = float(taken.output.split()[-1])
    tell(f"tasks: {MAPPED} on Airflow took {seconds:.2f} s, {taken.seconds:.2f} s in all")
    return seconds


def run(variables: dict[str, str], what: str, who: str, count: int) -> float:
    """Run one of them in a process of its own, and give the seconds it counted."""
    taken = take(Command([sys.executable, FOLDER / "tasks.py", what, who, str(count)], variables))
    seconds = float(taken.output.split()[-1])
    tell(f"tasks: {what} of {count:,} on {who} took {seconds:.2f} s, {taken.seconds:.2f} s in all")
    return seconds


def row(
    name: str, title: str, target: Target, numerator: list[float], denominator: list[float]
) -> Result:
    """Compare seconds with seconds."""
    return compare(name, title, "s", numerator, denominator, target)
