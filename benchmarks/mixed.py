"""Categories and numbers with gaps, prepared by a ColumnTransformer, against the floor."""

from benchmarks.boosting import BOOSTING
from benchmarks.models import Task
from benchmarks.result import Result, at_least
from benchmarks.scoring import over_floor
from benchmarks.scripts import Script
from benchmarks.tables import gaps
from benchmarks.workshop import Workshop

ROWS = 3_000_000
MIXED = Task(
    name="mixed",
    title=(
        "6 categorical and 6 numeric columns with gaps, ColumnTransformer and "
        "HistGradientBoosting of 200 trees"
    ),
    make=gaps,
    estimator=BOOSTING.estimator,
    params=BOOSTING.params,
)


def mixed(workshop: Workshop) -> list[Result]:
    """Measure rows a second over the floor's."""
    floor = Script("floor", arguments=("2",))
    return over_floor(workshop, MIXED, ROWS, at_least(1.0), floor)
