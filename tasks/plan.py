"""Plan a scoring run: name it by what its content depends on, and cut its source into pieces."""

from dataclasses import replace
from pathlib import Path

from prefect.logging import get_run_logger

from tasks.core.model.open import open_metadata
from tasks.core.model.version import ModelVersion
from tasks.core.output.quarantine import check_budget
from tasks.core.output.staging import Staging, reusable_parts
from tasks.core.scoring.plan import Planned, plan_source
from tasks.core.scoring.run import ScoringRun, name_run
from tasks.core.spec.scoring import Scoring
from tasks.core.tables.listing import SourceListing
from tasks.idempotent import idempotent_task


@idempotent_task(task_run_name="plan the run of {model.name} version {model.version}")
def plan_run(
    model: ModelVersion,
    source: SourceListing,
    output: str,
    scoring: Scoring | None,
    max_bad_rows: float | None = None,
) -> ScoringRun:
    """Name a scoring run by its key."""
    run = name_run(model, open_metadata(model), source, output, scoring)
    if max_bad_rows is not None:
        check_budget(max_bad_rows)
        run = replace(run, destination=replace(run.destination, max_bad_rows=max_bad_rows))

    key = run.destination.run_key[:8]
    get_run_logger().info("run key %s: %s files, output %s", key, len(source.files), output)
    return run


@idempotent_task(task_run_name="check the source and cut it into pieces")
def plan_scoring(run: ScoringRun, source: SourceListing, staging: Staging) -> Planned:
    """Check every file, cut the source into pieces, and find those that are scored already."""
    metadata = open_metadata(run.options.model)
    run, plan = plan_source(run, source, metadata, Path(staging.tables))
    finished = reusable_parts(staging, plan.pieces, plan.part_names(run.destination.run_key))

    logger = get_run_logger()
    rows = f"{plan.rows:,}"
    pieces = len(plan.pieces)
    logger.info("%s rows in %s pieces, %s of them scored already", rows, pieces, len(finished))
    for note in plan.notes:
        logger.info("%s", note)
    return Planned(run, plan, finished)
