"""A random forest of full depth, against the floor."""

from benchmarks.models import Task
from benchmarks.result import Result, at_least
from benchmarks.scoring import over_floor
from benchmarks.scripts import Script
from benchmarks.tables import floats
from benchmarks.workshop import Workshop

ROWS = 2_000_000
FOREST = Task(
    name="forest",
    title="20 float32 columns, RandomForest of 100 trees, fully grown",
    make=floats,
    estimator="sklearn.ensemble.RandomForestClassifier",
    params={"n_estimators": 100},
    train_rows=60_000,
)


def forest(workshop: Workshop) -> list[Result]:
    """Measure rows a second over the floor's."""
    # A forest's own threads add its trees up in any order, which changes last bits, and are no
    # faster than these.
    floor = Script("floor", arguments=("2",))
    return over_floor(workshop, FOREST, ROWS, at_least(1.5), floor)
