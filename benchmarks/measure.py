"""The timing harness: two commands in turn, medians, their ratio, one JSON file."""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.machine import describe_machine

RESULTS = Path(__file__).resolve().parent / "results"
Command = Sequence[str | Path]


@dataclass(frozen=True)
class Contest:
    """Two commands to time against each other; `ours` is told the number of the run, 0 for the warm-up."""

    measure: str
    target: float
    ours: Callable[[int], Command]
    other: Command
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Result:
    """What a benchmark found: medians in seconds, and `ratio` = ours / other."""

    measure: str
    ours: float
    other: float
    ratio: float
    target: float
    runs: int
    machine: dict[str, str | int | float]


def hold(contest: Contest, runs: int) -> Result:
    """Time both commands in turn, so that a busy moment meets both; the first turn warms up and is not counted."""
    if runs < 1:
        raise ValueError(f"runs is {runs}: at least 1 is needed")
    turns = [
        (seconds(contest.ours(turn), contest.variables), seconds(contest.other, contest.variables))
        for turn in range(runs + 1)
    ]
    ours, other = zip(*turns[1:], strict=True)
    return sum_up(contest, ours, other)


def sum_up(contest: Contest, ours: Sequence[float], other: Sequence[float]) -> Result:
    """Make a result of the counted runs: the ratio is that of the medians."""
    medians = statistics.median(ours), statistics.median(other)
    ratio = medians[0] / medians[1]
    shown = [round(figure, 3) for figure in (*medians, ratio)]
    return Result(contest.measure, *shown, contest.target, len(ours), describe_machine())


def seconds(command: Command, variables: Mapping[str, str]) -> float:
    """Time a command from its start to its end.

    Raises:
        RuntimeError: it failed; a failure is no figure.
    """
    started = time.perf_counter()
    done = subprocess.run(command, env=environment(variables), capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return elapsed


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Give the variables of every command: bytecode is kept, so that all runs but the first start from it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONSAFEPATH": "1", **variables}


def write_result(name: str, result: Result, folder: Path = RESULTS) -> Path:
    """Write a result as `<name>.json`; the last one is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")
    return path
