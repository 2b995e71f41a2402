"""A contest: commands that do the same work, in turn, so that a busy moment meets all of them."""

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.command import Command, Taken, take


@dataclass(frozen=True)
class Contest:
    """Commands by name; each is made from the path that its output goes to, which does not exist
    yet.

    The files of `reads` are in the page cache before each command starts. `warm_up` is a first turn
    that is not counted.
    """

    commands: Mapping[str, Callable[[Path], Command]]
    folder: Path
    reads: Sequence[Path] = ()
    warm_up: bool = False
    label: str = field(default="contest")


def hold(contest: Contest, runs: int) -> dict[str, list[Taken]]:
    """Run all commands in turn, `runs` times."""
    if runs < 1:
        raise ValueError(f"runs is {runs}: at least 1 is needed")
    turns = [
        {name: _once(contest, name, turn) for name in contest.commands}
        for turn in range(runs + contest.warm_up)
    ]
    return {name: [turn[name] for turn in turns[contest.warm_up :]] for name in contest.commands}


def _once(contest: Contest, name: str, turn: int) -> Taken:
    for path in contest.reads:
        keep_warm(path)
    folder = contest.folder / f"{contest.label}-{name}-{turn}"
    folder.mkdir(parents=True)
    try:
        taken = take(contest.commands[name](folder / "scores"))
    finally:
        shutil.rmtree(folder)
    tell(
        f"{contest.label}, turn {turn}: {name} took {taken.seconds:.2f} s and {taken.peak_mib:,.0f} MiB"
    )
    return taken


def keep_warm(path: Path) -> None:
    """Read a file once, so that it comes from memory for everybody alike."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def tell(progress: str) -> None:
    """Say on standard error how far a long run is."""
    print(progress, file=sys.stderr, flush=True)
