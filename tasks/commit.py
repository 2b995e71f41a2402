"""Commit a scoring run: every row accounted for, the inputs unchanged, then one atomic step."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from tasks.core.commit import commit_output
from tasks.core.errors import AfterfitError
from tasks.core.manifest import Input, Manifest, Part, describe
from tasks.core.plan import Run
from tasks.core.sources import check_unchanged, content_digest
from tasks.uncached import uncached_task


@uncached_task(task_run_name="commit {rows:,} rows")
def commit_scores(run: Run, parts: Sequence[Part], rows: int, staging: str) -> Manifest:
    """Make the parts the output, if they hold every row and no input has changed."""
    manifest = make_manifest(run, parts, rows, Path(staging))
    check_unchanged(run.files)
    commit_output(manifest, Path(staging), Path(run.output))
    get_run_logger().info("committed %s rows in %s parts to %s", f"{manifest.rows_scored:,}", len(parts), run.output)
    return manifest


def make_manifest(run: Run, parts: Sequence[Part], rows: int, staging: Path) -> Manifest:
    """Write down what the output is made of.

    Raises:
        AfterfitError: rows in are not rows scored.
    """
    scored = sum(part.rows for part in parts)
    if scored != rows:
        raise AfterfitError(f"{rows:,} rows went in and {scored:,} came out: nothing was committed.")
    return Manifest(
        model=run.model.name,
        version=run.model.version,
        model_digest=run.model.digest,
        run_key=run.key,
        source_identity=run.identity,
        inputs=tuple(Input(file.path, file.size, file.stamp, file.digest, content_digest(file)) for file in run.files),
        parts=tuple(parts),
        schema=describe(pq.read_schema(staging / parts[0].name)),
        rows_in=rows,
        rows_scored=scored,
        rows_quarantined=0,
        flow_run=str(flow_run.id or ""),
        attempt=int(flow_run.run_count or 1),
    )
