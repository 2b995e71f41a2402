"""Eight million rows scored by boosted trees, against the tools that people use for it.

Each peer is a script at its best settings, in a virtual environment of its own, and is timed with
its own start.
"""

from benchmarks.boosting import BOOSTING, ROWS
from benchmarks.result import Result, Target, at_least
from benchmarks.scoring import race, rate_over
from benchmarks.scripts import Script
from benchmarks.venvs import python_of
from benchmarks.workshop import Workshop

PEERS: dict[str, tuple[str, Target]] = {
    "joblib_chunks": ("joblib, a process per core, chunk by chunk", at_least(2.3)),
    "dask_ml_post_fit": ("dask-ml ParallelPostFit", at_least(2.3)),
    "ray_data": ("Ray Data map_batches, an actor per core", at_least(4.5)),
    "spark_udf": ("PySpark pandas_udf, local, a task per core", at_least(4.5)),
}

# Each has a worker for every core, which are quickest with one thread each.
VARIABLES = (("OMP_NUM_THREADS", "1"), ("RAY_USAGE_STATS_ENABLED", "0"))


def peers(workshop: Workshop) -> list[Result]:
    """Measure rows a second over each peer's."""
    rows = workshop.rows(ROWS)
    scripts = {name: Script(name, python_of(name), variables=VARIABLES) for name in PEERS}
    taken = race(workshop, BOOSTING, rows, scripts)

    results = []
    for name, (title, target) in PEERS.items():
        measure = f"{BOOSTING.title}: over {title}"
        results.append(rate_over(f"peers_{name}", measure, rows, taken, name, target))
    return results
