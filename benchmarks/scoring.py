"""Scoring whole tables: `afterfit score` in turn with scripts that do the same."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.command import Command, Taken
from benchmarks.contest import Contest, hold
from benchmarks.models import Task, Trained, train
from benchmarks.result import Result, Target, compare
from benchmarks.scripts import Script, check_same
from benchmarks.tables import write_source
from benchmarks.workshop import Workshop

RUNS = 3
OURS = "afterfit"
FLOOR = "floor"
FLOOR_IS = "the floor (pyarrow, `predict_proba` on all cores, pyarrow)"
SIDE_BY_SIDE = "side_by_side"
SIDE_BY_SIDE_IS = "the same with a chunk on each core, one thread each"
FLOORS = {FLOOR: Script("floor"), SIDE_BY_SIDE: Script("floor", arguments=("2",))}


def race(
    workshop: Workshop, task: Task, rows: int, scripts: Mapping[str, Script]
) -> dict[str, list[Taken]]:
    """Score a table by afterfit and by each script in turn; first all must predict the same."""
    trained = train(workshop, task)
    check_same(trained, scripts)
    source = write_source(workshop.folder, task.make, rows)

    commands = {OURS: ours(workshop, trained, source), **theirs(trained, source, scripts)}
    folder = workshop.scratch / "out"
    contest = Contest(commands, folder, sorted(source.iterdir()), label=f"{task.name}-{rows}")
    return hold(contest, workshop.runs or RUNS)


def ours(workshop: Workshop, trained: Trained, source: Path) -> Callable[[Path], Command]:
    """Make afterfit's command from its output."""
    return lambda output: workshop.home.afterfit("score", trained.name, source, output)


def theirs(
    trained: Trained, source: Path, scripts: Mapping[str, Script]
) -> dict[str, Callable[[Path], Command]]:
    """Make the scripts' commands from their outputs."""

    def command(script: Script) -> Callable[[Path], Command]:
        return lambda output: script.score(trained.joblib, source, output)

    return {name: command(script) for name, script in scripts.items()}


def rate_over(
    name: str,
    measure: str,
    rows: int,
    taken: Mapping[str, Sequence[Taken]],
    other: str,
    target: Target,
) -> Result:
    """Compare afterfit's rows a second with another's."""
    mine = [rows / seconds for seconds in seconds_of(taken[OURS])]
    others = [rows / seconds for seconds in seconds_of(taken[other])]
    title = f"{rows:,} rows, {measure}"
    return compare(name, title, "rows/s", mine, others, target, peak(taken[OURS]))


def over_floors(
    workshop: Workshop, name: str, task: Task, full_rows: int, target: Target
) -> list[Result]:
    """Race against both floors.

    One is on the threads that scikit-learn starts itself, the other on chunks side by side.
    """
    rows = workshop.rows(full_rows)
    taken = race(workshop, task, rows, FLOORS)

    chunks = f"{name}_{SIDE_BY_SIDE}"
    over_floor = f"{task.title}: over {FLOOR_IS}"
    over_chunks = f"{task.title}: over {SIDE_BY_SIDE_IS}"
    return [
        rate_over(name, over_floor, rows, taken, FLOOR, target),
        rate_over(chunks, over_chunks, rows, taken, SIDE_BY_SIDE, target),
    ]


def over_floor(
    workshop: Workshop, task: Task, full_rows: int, target: Target, floor: Script
) -> list[Result]:
    """Race against the floor alone."""
    rows = workshop.rows(full_rows)
    taken = race(workshop, task, rows, {FLOOR: floor})
    measure = f"{task.title}: over {FLOOR_IS}"
    return [rate_over(task.name, measure, rows, taken, FLOOR, target)]


def seconds_of(taken: Sequence[Taken]) -> list[float]:
    """Return the seconds of all runs."""
    return [each.seconds for each in taken]


def peak(taken: Sequence[Taken]) -> float:
    """Return the most memory of all runs, in MiB."""
    return max(each.peak_mib for each in taken)
