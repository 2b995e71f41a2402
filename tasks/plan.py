"""Plan a scoring run: name it by what its content depends on, and cut its source into pieces."""

from dataclasses import replace
from pathlib import Path

from prefect.logging import get_run_logger

from tasks.core.model.metadata import read_metadata
from tasks.core.model.version import ModelVersion
from tasks.core.output.quarantine import check_budget
from tasks.core.output.staging import Staging, reusable_parts
from tasks.core.scoring.plan import Planned, plan_source
from tasks.core.scoring.run import ScoringRun, name_run
from tasks.core.spec.scoring import Scoring
from tasks.core.tables.sources import Source
from tasks.idempotent import idempotent_task


@idempotent_task(task_run_name="plan the run of {model.name} version {model.version}")
def plan_run(
    model: ModelVersion,
    source: Source,
    output: str,
    options: Scoring | None,
    max_bad_rows: float | None = None,
) -> ScoringRun:
    """Name a scoring run by its key."""
    if max_bad_rows is not None:
        check_budget(max_bad_rows)
    run = name_run(model, read_metadata(Path(model.folder)), source.files, output, options)
    get_run_logger().info(
        "run key %s: %s files, output %s", run.key[:8], len(source.files), run.output
    )
    return run if max_bad_rows is None else replace(run, max_bad_rows=max_bad_rows)


@idempotent_task(task_run_name="check the source and cut it into pieces")
def plan_scoring(run: ScoringRun, source: Source, staging: Staging) -> Planned:
    """Check every file against the model, cut the source into pieces, and find those that are
    scored already.
    """
    run, plan = plan_source(
        run, source.files, read_metadata(Path(run.model.folder)), Path(staging.tables)
    )
    finished = reusable_parts(staging, plan.pieces, plan.part_names(run))
    get_run_logger().info(
        "%s rows in %s pieces, %s of them scored already",
        f"{plan.rows:,}",
        len(plan.pieces),
        len(finished),
    )
    for note in plan.notes:
        get_run_logger().info("%s", note)
    return Planned(run, plan, finished)
