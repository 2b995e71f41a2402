"""A logistic regression behind imputing and scaling, against the floor."""

from benchmarks.models import Task
from benchmarks.result import Result, at_least
from benchmarks.scoring import over_floor
from benchmarks.scripts import Script
from benchmarks.tables import doubles
from benchmarks.workshop import Workshop

ROWS = 32_000_000
LINEAR = Task(
    name="linear",
    title="20 float64 columns, SimpleImputer, StandardScaler and LogisticRegression",
    make=doubles,
    estimator="sklearn.linear_model.LogisticRegression",
    params={},
)


def linear(workshop: Workshop) -> list[Result]:
    """Measure rows a second over the floor's."""
    floor = Script("floor", arguments=("2",))
    return over_floor(workshop, LINEAR, ROWS, at_least(1.0), floor)
