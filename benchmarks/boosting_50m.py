"""Fifty million rows scored by boosted trees, against the floor; and the memory they take.

The memory is compared with that of five million rows.
"""

from collections.abc import Mapping, Sequence

from benchmarks.boosting import BOOSTING
from benchmarks.command import Taken
from benchmarks.contest import Contest, hold
from benchmarks.models import train
from benchmarks.result import Result, at_least, at_most, compare
from benchmarks.scoring import (
    FLOOR,
    FLOOR_IS,
    FLOORS,
    OURS,
    RUNS,
    SIDE_BY_SIDE,
    SIDE_BY_SIDE_IS,
    ours,
    peak,
    rate_over,
    theirs,
)
from benchmarks.scripts import check_same
from benchmarks.tables import write_source
from benchmarks.workshop import Workshop

ROWS, FEWER = 50_000_000, 5_000_000
LIMIT_MIB = 1536.0
SMALL = "afterfit-fewer"
TITLE = BOOSTING.title
SPEED = at_least(4.0)


def boosting_50m(workshop: Workshop) -> list[Result]:
    """Measure speed and memory together: the memory is that of the same runs."""
    rows, fewer = workshop.rows(ROWS), workshop.rows(FEWER)
    taken = race(workshop, rows, fewer)

    over_floor = f"{TITLE}: over {FLOOR_IS}"
    over_chunks = f"{TITLE}: over {SIDE_BY_SIDE_IS}"
    return [
        rate_over("boosting_50m", over_floor, rows, taken, FLOOR, SPEED),
        rate_over("boosting_50m_side_by_side", over_chunks, rows, taken, SIDE_BY_SIDE, SPEED),
        *memory(rows, fewer, taken),
    ]


def race(workshop: Workshop, rows: int, fewer: int) -> dict[str, list[Taken]]:
    """Score the large table by all in turn, and the small one by afterfit."""
    trained = train(workshop, BOOSTING)
    check_same(trained, FLOORS)
    large = write_source(workshop.folder, BOOSTING.make, rows)
    small = write_source(workshop.folder, BOOSTING.make, fewer)

    commands = {
        OURS: ours(workshop, trained, large),
        **theirs(trained, large, FLOORS),
        SMALL: ours(workshop, trained, small),
    }
    folder = workshop.scratch / "out"
    contest = Contest(commands, folder, sorted(large.iterdir()), label="boosting_50m")
    return hold(contest, workshop.runs or RUNS)


def memory(rows: int, fewer: int, taken: Mapping[str, Sequence[Taken]]) -> list[Result]:
    """Compare the memory of the large table with that of the small one, and with a limit."""
    most = [each.peak_mib for each in taken[OURS]]
    less = [each.peak_mib for each in taken[SMALL]]
    limit = [LIMIT_MIB] * len(most)
    highest = peak(taken[OURS])

    title = f"{rows:,} rows, {TITLE}: peak memory"
    over_fewer = f"{title} over that of {fewer:,} rows"
    over_limit = f"{title} over 1.5 GiB"
    return [
        compare("memory", over_fewer, "MiB", most, less, at_most(1.05), highest),
        compare("memory_limit", over_limit, "MiB", most, limit, at_most(1.0), highest),
    ]
