"""Eight million rows scored by boosted trees, against the floor."""

from benchmarks.models import Task
from benchmarks.result import Result, at_least
from benchmarks.scoring import over_floors
from benchmarks.tables import floats
from benchmarks.workshop import Workshop

ROWS = 8_000_000
BOOSTING = Task(
    name="boosting",
    title="20 float32 columns, HistGradientBoosting of 200 trees x 31 leaves",
    make=floats,
    estimator="sklearn.ensemble.HistGradientBoostingClassifier",
    params={"max_iter": 200, "max_leaf_nodes": 31, "early_stopping": False},
)


def boosting(workshop: Workshop) -> list[Result]:
    """Measure rows a second over the floor's."""
    return over_floors(workshop, "boosting", BOOSTING, ROWS, at_least(2.5))
