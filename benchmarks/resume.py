"""What a kill -9 at nine tenths costs: the rows that are scored twice."""

import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.boosting import BOOSTING, ROWS
from benchmarks.command import Command, Taken, started, take
from benchmarks.contest import keep_warm, tell
from benchmarks.models import train
from benchmarks.result import Result, at_most, compare
from benchmarks.scoring import RUNS, peak
from benchmarks.tables import write_source
from benchmarks.workshop import Workshop

KILLED_AT = 0.9
POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Turn:
    """What one turn took: the whole run, and the one after the kill.

    Attributes:
        whole: the run that was left alone.
        seconds: how long the other ran until the kill.
        begun: the rows that were begun until then.
        again: the run of the same command after it.
    """

    whole: Taken
    seconds: float
    begun: int
    again: Taken


def resume(workshop: Workshop) -> list[Result]:
    """Measure the rows that both attempts scored beyond those there are."""
    rows = workshop.rows(ROWS)
    trained = train(workshop, BOOSTING)
    source = write_source(workshop.folder, BOOSTING.make, rows)
    command = workshop.home.afterfit("score", trained.name, source, "--json")

    turns = []
    for number in range(workshop.runs or RUNS):
        folder = workshop.scratch / "out" / f"resume-{number}"
        for path in source.iterdir():
            keep_warm(path)
        turns.append(attempts(command, folder))
        shutil.rmtree(folder)
    return results(rows, turns)


def attempts(command: Command, folder: Path) -> Turn:
    """Run a command whole; then kill it at nine tenths, and run it again."""
    folder.mkdir(parents=True)
    whole = take(with_output(command, folder / "whole"))
    parts = json.loads(whole.output)["parts"]

    killed = with_output(command, folder / "killed")
    seconds = kill_at(killed, folder, max(1, int(KILLED_AT * parts)))
    begun = rows_begun(folder)
    return Turn(whole, seconds, begun, again=take(killed))


def with_output(command: Command, output: Path) -> Command:
    """Name the output, which stands before the options."""
    *arguments, json_option = command.arguments
    return Command([*arguments, output, json_option], command.variables)


def kill_at(command: Command, folder: Path, parts: int) -> float:
    """Kill -9 a command when so many parts are in its staging folder; return how long it had run.

    Raises:
        RuntimeError: it had ended before.
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as nowhere, started(command, nowhere, nowhere) as process:
        while len(finished_parts(folder)) < parts:
            if process.poll() is not None:
                raise RuntimeError(f"it ended before {parts} parts were seen: ask for more rows")
            time.sleep(POLL_SECONDS)

        process.kill()
        process.wait()
    return time.perf_counter() - began


def finished_parts(folder: Path) -> list[Path]:
    """List the parts that a run has finished and not committed."""
    return list(folder.glob(".killed.afterfit-staging/**/part-*.parquet"))


def rows_begun(folder: Path) -> int:
    """Count the rows of all finished parts, and for each core those of one part more."""
    rows = [pq.read_metadata(path).num_rows for path in finished_parts(folder)]
    cores = os.cpu_count() or 1
    return sum(rows) + max(rows) * cores


def results(rows: int, turns: list[Turn]) -> list[Result]:
    """Sum up: the second attempt scored what it did not reuse."""
    extra = []
    for turn in turns:
        reused = json.loads(turn.again.output)["rows_reused"]
        scored = min(turn.begun, rows) + rows - reused
        extra.append(scored - rows)

        again = f"killed after {turn.seconds:.2f} s, again {turn.again.seconds:.2f} s"
        tell(f"resume: whole {turn.whole.seconds:.2f} s; {again}")

    killed = f"kill -9 at {KILLED_AT:.0%} and the same command again"
    measure = f"{rows:,} rows, {BOOSTING.title}, {killed}: rows scored twice over all rows"
    most = peak([run for turn in turns for run in (turn.whole, turn.again)])
    return [compare("resume", measure, "rows", extra, [rows] * len(turns), at_most(0.12), most)]
