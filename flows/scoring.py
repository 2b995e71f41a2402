"""Scoring: from a model and a source to a committed output."""

import dataclasses
import time

from prefect import flow

from flows.bundles import score_pieces
from flows.interruption import check_not_interrupted
from tasks.commit import commit_scores
from tasks.core.output.manifest import Part
from tasks.core.output.open import open_output
from tasks.core.output.protocol import Output
from tasks.core.output.staging import Staging
from tasks.core.scoring.advice import advise_processes
from tasks.core.scoring.changes import refuse_changes
from tasks.core.scoring.checks import check_copies
from tasks.core.scoring.plan import Planned
from tasks.core.scoring.results import Scores, summarize
from tasks.core.scoring.reuse import find_committed
from tasks.core.scoring.run import ScoringRun
from tasks.core.spec.scoring import Scoring
from tasks.core.tables.inputs import hash_inputs
from tasks.core.tables.listing import SourceListing
from tasks.plan import plan_run, plan_scoring
from tasks.publish import publish_quarantine, publish_scores
from tasks.read import look_at_source
from tasks.resolve import resolve_version
from tasks.runner.compute import Compute


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
        workers: worker processes to start; by default tasks run on threads of this process.
        cluster: the address of an existing Dask scheduler.
    """
    return score_source(
        model,
        source,
        output,
        replace=replace,
        compute=Compute(workers, cluster),
        max_bad_rows=max_bad_rows,
    )


def score_source(
    model: str,
    source: str,
    output: str,
    *,
    replace: bool,
    compute: Compute,
    max_bad_rows: float | None = None,
    scoring: Scoring | None = None,
    window: str | None = None,
) -> Scores:
    """Score a source with a model; `scoring` says what is kept, by default as its spec did.

    1. resolve the model to one version, once;
    2. open the source, and name the run by its key: the same run again has nothing to do;
    3. score and commit, under the output's lock.
    """
    version = resolve_version(model)
    listing = look_at_source(source)
    target = open_output(output)
    check_copies(listing, target.location, compute.cluster)
    run = plan_run(version, listing, target.location, scoring, max_bad_rows)

    with target.locked(check_not_interrupted) as told:
        if committed := find_committed(run.destination, replace=replace):
            target.clean(committed)
            scores = summarize(committed, run.destination.output, reused=True)
        else:
            scores = score_and_commit(run, listing, target, compute, window)

    scores = dataclasses.replace(scores, notes=(*told, *scores.notes))
    publish_scores(scores, version.name)
    return scores


def score_and_commit(
    run: ScoringRun,
    source: SourceListing,
    target: Output,
    compute: Compute,
    window: str | None,
) -> Scores:
    """Score what no dead attempt has finished, and commit all of it.

    1. plan the pieces, checking every file before the first row is scored;
    2. score those that are not finished on Dask, while the content of the source is digested;
    3. commit.
    """
    started = time.monotonic()
    key = run.destination.run_key

    with (
        target.stage(key) as staging,
        refuse_changes(source.files, staging),
        hash_inputs(source.files) as inputs,
    ):
        planned = plan_scoring(run, source, staging)
        parts, advice = score_with_advice(planned, staging, compute)
        described = inputs()
        manifest = commit_scores(target, planned, source, described, parts, staging, window)

    seconds = time.monotonic() - started
    finished = sum(part.rows for part in planned.finished.values())
    scores = summarize(manifest, run.destination.output, rows_reused=finished, seconds=seconds)
    publish_quarantine(manifest, run.options.model.name)
    return dataclasses.replace(scores, notes=(*scores.notes, *advice))


def score_with_advice(
    planned: Planned, staging: Staging, compute: Compute
) -> tuple[list[Part], tuple[str, ...]]:
    """Score the pieces, and return their parts, and advice for the next run where there is any."""
    started = time.monotonic()
    cpu_before = time.process_time()

    parts = score_pieces(planned, staging, compute)

    seconds = time.monotonic() - started
    cpu_seconds = time.process_time() - cpu_before
    threads = 1
    if compute.is_this_process:
        threads = min(compute.parallelism, len(planned.unfinished))
    return parts, advise_processes(seconds, cpu_seconds, threads)
