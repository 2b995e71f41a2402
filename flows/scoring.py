"""Scoring: from a model and a source to a committed output."""

import time

from prefect import flow

from flows.bundles import score_pieces
from tasks.commit import commit_scores
from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import Manifest
from tasks.core.output.open import open_output
from tasks.core.scoring.checks import check_copies
from tasks.core.scoring.results import Scores
from tasks.core.scoring.reuse import find_committed
from tasks.core.spec.scoring import Scoring
from tasks.core.tables.inputs import digesting
from tasks.core.tables.sources import check_unchanged
from tasks.plan import plan_run, plan_scoring
from tasks.publish import publish_quarantine, publish_scores
from tasks.read import read_identity
from tasks.resolve import resolve_version
from tasks.runner.make import check_workers


@flow(flow_run_name="score with {model}", persist_result=False)
def score_batch(
    model: str,
    source: str,
    output: str,
    replace: bool = False,
    max_bad_rows: float | None = None,
    workers: int | None = None,
    cluster: str | None = None,
) -> Scores:
    """Score a source with a registered model, and commit the scores in one step.

    Args:
        model: `name` (its champion), `name@alias` or `name/version`.
        source: a file, a folder, a glob or an fsspec URL; Parquet or CSV. Paths are absolute.
        output: the folder or URL that will hold the scores; they appear whole or not at all.
        replace: swap the scores of another run that are there.
        max_bad_rows: how many rows may go to quarantine: a count, or a share below 1; by default
            what the spec says.
        workers: worker processes to start; by default tasks run on threads of this process, unless
            the source is
            large and the model holds Python's lock: then there is one process on each core.
        cluster: the address of an existing Dask scheduler.
    """
    return score_source(
        model,
        source,
        output,
        replace=replace,
        max_bad_rows=max_bad_rows,
        workers=workers,
        cluster=cluster,
    )


def score_source(
    model: str,
    source: str,
    output: str,
    *,
    replace: bool,
    max_bad_rows: float | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    options: Scoring | None = None,
    window: str | None = None,
) -> Scores:
    """Score a source with a model; `options` say what is kept, by default those stored with the
    model.

    1. resolve the model to one version, once;
    2. look at the source, and name the run by its key: the same run again has nothing to do;
    3. plan its pieces, checking every file before the first row is scored, and find those a dead
       attempt finished;
    4. score the other pieces on Dask, while the content of the source is digested;
    5. commit.
    """
    check_workers(workers, cluster)
    version = resolve_version(model)
    found, target = read_identity(source), open_output(output)
    check_copies(found.files, target.location, cluster)
    run = plan_run(version, found, target.location, options, max_bad_rows)
    with target.locked():
        if committed := find_committed(run, replace=replace):
            target.clean(committed)
            scores = _summed_up(committed, run.output, committed.rows_scored, reused=True)
        else:
            started = time.monotonic()
            with target.stage(run.key) as staging, digesting(found.files) as inputs:
                planned = plan_scoring(run, found, staging)
                try:
                    parts = score_pieces(planned, staging, workers, cluster)
                except AfterfitError:
                    check_unchanged(found.files)  # which would explain it better
                    raise
                manifest = commit_scores(target, planned, found, inputs(), parts, staging, window)
            kept = sum(part.rows for part in planned.finished.values())
            scores = _summed_up(manifest, run.output, kept, seconds=time.monotonic() - started)
            publish_quarantine(manifest, version.name)
    publish_scores(scores, version.name)
    return scores


def _summed_up(
    manifest: Manifest, output: str, kept: int, *, seconds: float = 0.0, reused: bool = False
) -> Scores:
    return Scores(
        version=manifest.version,
        output=output,
        run_key=manifest.run_key,
        rows_in=manifest.rows_in,
        rows_scored=manifest.rows_scored,
        rows_quarantined=manifest.rows_quarantined,
        rows_reused=kept,
        parts=len(manifest.parts),
        seconds=round(seconds, 3),
        reused=reused,
        notes=manifest.notes,
    )
