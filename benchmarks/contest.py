"""A contest: commands that do the same work, in turn, so that a busy moment meets all of them."""

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.command import Command, Taken, take


@dataclass(frozen=True)
class Contest:
    """Commands by name.

    Attributes:
        commands: makes each from the path that its output goes to, which does not exist yet.
        folder: where the outputs are.
        reads: files that are in the page cache before each command starts.
        warm_up: whether there is a first turn that is not counted.
        label: what the progress calls it.
    """

    commands: Mapping[str, Callable[[Path], Command]]
    folder: Path
    reads: Sequence[Path] = ()
    warm_up: bool = False
    label: str = field(default="contest")


def hold(contest: Contest, runs: int) -> dict[str, list[Taken]]:
    """Run all commands in turn, `runs` times; return what each took, by name."""
    if runs < 1:
        raise ValueError(f"runs is {runs}: at least 1 is needed")

    uncounted = 1 if contest.warm_up else 0
    taken: dict[str, list[Taken]] = {name: [] for name in contest.commands}
    for turn in range(uncounted + runs):
        for name in contest.commands:
            taken[name].append(_once(contest, name, turn))
    return {name: turns[uncounted:] for name, turns in taken.items()}


def _once(contest: Contest, name: str, turn: int) -> Taken:
    """Run one command; its output is deleted."""
    for path in contest.reads:
        keep_warm(path)
    folder = contest.folder / f"{contest.label}-{name}-{turn}"
    folder.mkdir(parents=True)
    try:
        command = contest.commands[name](folder / "scores")
        taken = take(command)
    finally:
        shutil.rmtree(folder)

    took = f"{taken.seconds:.2f} s and {taken.peak_mib:,.0f} MiB"
    tell(f"{contest.label}, turn {turn}: {name} took {took}")
    return taken


def keep_warm(path: Path) -> None:
    """Read a file once, so that it comes from memory for everybody alike."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def tell(progress: str) -> None:
    """Say on standard error how far a long run is."""
    print(progress, file=sys.stderr, flush=True)
