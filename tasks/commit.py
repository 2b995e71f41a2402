"""Commit a scoring run: every row accounted for, the inputs unchanged, then one atomic step."""

from collections.abc import Sequence
from dataclasses import replace

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
from tasks.core.tables.listing import SourceListing
from tasks.core.tables.sources import check_unchanged
from tasks.idempotent import idempotent_task


@idempotent_task(task_run_name="commit {planned.plan.rows:,} rows")
def commit_scores(
    output: Output,
    planned: Planned,
    source: SourceListing,
    inputs: tuple[Input, ...],
    parts: Sequence[Part],
    staging: Staging,
    window: str | None = None,
) -> Manifest:
    """Make the parts the output.

    1. every row is in a part or in quarantine, and not too many are in quarantine;
    2. no id occurs twice;
    3. write down what the output is made of, and from what;
    4. no input has changed since the run began;
    5. commit, in one atomic step.
    """
    rows = planned.plan.rows
    check_quarantine(parts, planned.run.destination.max_bad_rows, rows)
    check_parts(parts, rows)

    id_column = planned.run.options.columns.id
    if id_column is not None:
        check_unique_ids(staging.parts, parts, id_column)

    number = int(flow_run.run_count or 1)
    attempt = Attempt(str(flow_run.id or ""), number, window, staging.folder)
    manifest = make_manifest(planned, source.identity, inputs, parts, staging, attempt)

    check_unchanged(source.files)
    told = output.commit(manifest, staging)

    scored = f"{manifest.rows_scored:,}"
    get_run_logger().info(
        "committed %s rows in %s parts to %s", scored, len(parts), output.location
    )
    return replace(manifest, notes=(*manifest.notes, *told))
