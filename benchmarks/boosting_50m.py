"""Fifty million rows scored by boosted trees, against the floor; and the memory of that beside that
of five million.
"""

from benchmarks.boosting import BOOSTING
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


def boosting_50m(workshop: Workshop) -> list[Result]:
    """Measure speed and memory together: the memory is that of the same runs."""
    rows, fewer = workshop.rows(ROWS), workshop.rows(FEWER)
    trained = train(workshop, BOOSTING)
    check_same(trained, FLOORS)
    large, small = (write_source(workshop.folder, BOOSTING.make, count) for count in (rows, fewer))
    commands = {
        OURS: ours(workshop, trained, large),
        **theirs(trained, large, FLOORS),
        SMALL: ours(workshop, trained, small),
    }
    contest = Contest(
        commands, workshop.scratch / "out", sorted(large.iterdir()), label="boosting_50m"
    )
    taken = hold(contest, workshop.runs or RUNS)
    most, less = ([each.peak_mib for each in taken[who]] for who in (OURS, SMALL))
    limit = [LIMIT_MIB] * len(most)
    title = f"{rows:,} rows, {BOOSTING.title}: peak memory"
    return [
        rate_over(
            "boosting_50m", f"{BOOSTING.title}: over {FLOOR_IS}", rows, taken, FLOOR, at_least(4.0)
        ),
        rate_over(
            "boosting_50m_side_by_side",
            f"{BOOSTING.title}: over {SIDE_BY_SIDE_IS}",
            rows,
            taken,
            SIDE_BY_SIDE,
            at_least(4.0),
        ),
        compare(
            "memory",
            f"{title} over that of {fewer:,} rows",
            "MiB",
            most,
            less,
            at_most(1.05),
            peak(taken[OURS]),
        ),
        compare(
            "memory_limit",
            f"{title} over 1.5 GiB",
            "MiB",
            most,
            limit,
            at_most(1.0),
            peak(taken[OURS]),
        ),
    ]
