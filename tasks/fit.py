"""Fit a candidate."""

import time
from pathlib import Path

from prefect.logging import get_run_logger

from tasks.core.errors import RequestError
from tasks.core.model.skops_file import save_pipeline
from tasks.core.spec.sections import Candidate
from tasks.core.spec.spec import Spec
from tasks.core.tables.arrow_files import open_table
from tasks.core.tables.frames import to_frame
from tasks.core.tables.targets import target_values
from tasks.core.training.candidates import make_estimator
from tasks.core.training.pipeline import build_pipeline, fit_pipeline
from tasks.core.training.results import Fitted
from tasks.core.training.table import SplitTable
from tasks.core.training.trial import check_storable
from tasks.idempotent import idempotent_task


@idempotent_task(task_run_name="fit {candidate.name}")
def fit_candidate(candidate: Candidate, spec: Spec, table: SplitTable, number: int) -> Fitted:
    """Fit one candidate, preparation included, on the rows that train, if it can be stored."""
    started = time.monotonic()
    rows = open_table(table.train)
    X = to_frame(rows, table.features)
    y = target_values(rows, spec.data.target, spec.problem)

    folder = Path(table.train).with_name(f"candidate-{number}")
    folder.mkdir(exist_ok=True)
    check_storable(candidate, table.features, X, y, folder)

    pipeline = build_pipeline(make_estimator(candidate.estimator, candidate.params), table.features)
    try:
        fit_pipeline(pipeline, X, y)
    except (ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:500]
        raise RequestError(f"{candidate.name} cannot be fitted: {reason}") from error

    path = folder / "candidate.skops"
    save_pipeline(pipeline, path)

    name = candidate.name
    seconds = time.monotonic() - started
    get_run_logger().info("fitted %s on %s rows in %.1f s", name, table.rows_train, seconds)
    return Fitted(name, str(path), seconds)
