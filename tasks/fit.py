"""Fit a candidate."""

import time
from dataclasses import dataclass
from pathlib import Path

from prefect.logging import get_run_logger

from tasks.core.candidates import build_pipeline, make_estimator
from tasks.core.columns import to_frame
from tasks.core.errors import RequestError
from tasks.core.models import save_pipeline
from tasks.core.spec import Candidate, Spec
from tasks.core.tables import SplitTable, open_table, target_values
from tasks.uncached import uncached_task


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline in a file, and what made it."""

    candidate: str
    path: str
    seconds: float


@uncached_task(task_run_name="fit {candidate.name}")
def fit_candidate(candidate: Candidate, spec: Spec, table: SplitTable, number: int) -> Fitted:
    """Fit one candidate, preparation included, on the rows that train."""
    started = time.monotonic()
    rows = open_table(table.train)
    pipeline = build_pipeline(make_estimator(candidate.estimator, candidate.params), table.features)
    try:
        pipeline.fit(to_frame(rows, table.features), target_values(rows, spec.data.target, spec.problem))
    except (ValueError, TypeError) as error:
        raise RequestError(f"{candidate.name} cannot be fitted: {' '.join(str(error).split())[:500]}") from error
    path = Path(table.train).with_name(f"candidate-{number}.skops")
    save_pipeline(pipeline, path)
    seconds = time.monotonic() - started
    get_run_logger().info("fitted %s on %s rows in %.1f s", candidate.name, table.rows_train, seconds)
    return Fitted(candidate.name, str(path), seconds)
