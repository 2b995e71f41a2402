"""Commit a scoring run: every row accounted for, the inputs unchanged, then one atomic step."""

from collections import Counter
from collections.abc import Sequence

import pyarrow.parquet as pq
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from tasks.core.errors import counted
from tasks.core.files import join, open_binary
from tasks.core.ids import check_unique_ids
from tasks.core.manifest import Input, Manifest, Part, describe
from tasks.core.objects import Output
from tasks.core.predictor import KERNEL
from tasks.core.sources import check_unchanged
from tasks.core.staging import Staging, check_parts, check_quarantine
from tasks.plan import Planned
from tasks.read import Source
from tasks.uncached import uncached_task


@uncached_task(task_run_name="commit {planned.plan.rows:,} rows")
def commit_scores(
    output: Output, planned: Planned, source: Source, inputs: tuple[Input, ...], parts: Sequence[Part],
    staging: Staging, window: str | None = None,
) -> Manifest:  # fmt: skip
    """Make the parts the output, if they hold every row and no input has changed."""
    run, rows = planned.run, planned.plan.rows
    check_quarantine(parts, run.max_bad_rows, rows)
    check_parts(parts, rows)
    if run.id:
        check_unique_ids(staging.parts, parts, run.id)
    manifest = make_manifest(planned, source, inputs, parts, staging, window, output.folder(staging))
    check_unchanged(source.files)
    output.commit(manifest, staging)
    get_run_logger().info("committed %s rows in %s parts to %s", f"{manifest.rows_scored:,}", len(parts), run.output)
    return manifest


def make_manifest(
    planned: Planned, source: Source, inputs: tuple[Input, ...], parts: Sequence[Part], staging: Staging,
    window: str | None, folder: str,
) -> Manifest:  # fmt: skip
    """Write down what the output is made of."""
    run = planned.run
    scored = [part for part in parts if part.sha256]
    with open_binary(join(staging.parts, scored[0].name)) as file:
        schema = describe(pq.read_schema(file))
    return Manifest(
        model=run.model.name,
        version=run.model.version,
        model_digest=run.model.digest,
        run_key=run.key,
        source_identity=source.identity,
        inputs=inputs,
        parts=tuple(parts),
        schema=schema,
        rows_in=planned.plan.rows,
        rows_scored=sum(part.rows for part in parts),
        rows_quarantined=sum(part.quarantined for part in parts),
        flow_run=str(flow_run.id or ""),
        attempt=int(flow_run.run_count or 1),
        window=window,
        folder=folder,
        notes=(*planned.plan.notes, *describe_parts(parts)),
    )


def describe_parts(parts: Sequence[Part]) -> list[str]:
    """Note how the rows were scored, and which values the model did not know."""
    by = Counter[str]()
    unknown = Counter[str]()
    for part in parts:
        by[part.scored_by] += part.rows
        unknown.update(part.unknown)
    reasons = sorted({part.note for part in parts if part.note})
    return [
        *(f"{counted(rows, 'row')} scored by {what}" for what, rows in by.items()),
        *(f"not by the {KERNEL}: {reason}" for reason in reasons),
        *(
            f"column {name!r}: {counted(count, 'value')} in no category the model knows"
            for name, count in unknown.items()
        ),
    ]
