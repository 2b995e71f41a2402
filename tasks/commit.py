"""Commit a scoring run: every row accounted for, the inputs unchanged, then one atomic step."""

from collections.abc import Sequence

from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from tasks.core.output.manifest import Manifest, Part
from tasks.core.output.protocol import Output
from tasks.core.output.row_counts import check_parts, check_quarantine
from tasks.core.output.staging import Staging
from tasks.core.output.unique_ids import check_unique_ids
from tasks.core.scoring.plan import Planned
from tasks.core.scoring.summary import Attempt, make_manifest
from tasks.core.tables.inputs import Input
from tasks.core.tables.sources import Source, check_unchanged
from tasks.idempotent import idempotent_task


@idempotent_task(task_run_name="commit {planned.plan.rows:,} rows")
def commit_scores(
    output: Output,
    planned: Planned,
    source: Source,
    inputs: tuple[Input, ...],
    parts: Sequence[Part],
    staging: Staging,
    window: str | None = None,
) -> Manifest:
    """Make the parts the output, if they hold every row and no input has changed."""
    run, rows = planned.run, planned.plan.rows
    check_quarantine(parts, run.max_bad_rows, rows)
    check_parts(parts, rows)
    if run.id:
        check_unique_ids(staging.parts, parts, run.id)
    attempt = Attempt(str(flow_run.id or ""), int(flow_run.run_count or 1), window, staging.folder)
    manifest = make_manifest(planned, source, inputs, parts, staging, attempt)
    check_unchanged(source.files)
    output.commit(manifest, staging)
    get_run_logger().info(
        "committed %s rows in %s parts to %s", f"{manifest.rows_scored:,}", len(parts), run.output
    )
    return manifest
