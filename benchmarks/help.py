"""`afterfit --help` against the import of its command-line library alone."""

import sys

from benchmarks.command import Command
from benchmarks.contest import Contest, hold
from benchmarks.home import AFTERFIT
from benchmarks.result import Result, at_most, compare
from benchmarks.scoring import peak, seconds_of
from benchmarks.workshop import Workshop

RUNS = 5
IMPORT = "import cyclopts"


def help(workshop: Workshop) -> list[Result]:  # noqa: A001 - named for what it measures
    """Measure the help: it needs no server, no home and none of the large libraries."""
    commands = {
        "afterfit": lambda _output: Command([AFTERFIT, "--help"]),
        "import": lambda _output: Command([sys.executable, "-c", IMPORT]),
    }
    contest = Contest(commands, workshop.scratch / "out", warm_up=True, label="help")
    taken = hold(contest, workshop.runs or RUNS)

    mine = seconds_of(taken["afterfit"])
    other = seconds_of(taken["import"])
    title = f"`afterfit --help`: seconds over `{IMPORT}`"
    return [compare("help", title, "s", mine, other, at_most(3.0), peak(taken["afterfit"]))]
