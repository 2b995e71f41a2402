"""Scoring: from a model and a source to a committed output."""

import time
from typing import Any

from prefect import flow, unmapped
from prefect.task_runners import TaskRunner

from flows.runner import make_runner, map_task
from tasks.commit import commit_scores
from tasks.core.commit import fresh_staging, locked, real_output
from tasks.core.folders import scratch_folder
from tasks.core.manifest import Manifest, Part
from tasks.core.pieces import Bundle
from tasks.core.plan import Run
from tasks.core.results import Scores
from tasks.core.spec import Scoring
from tasks.plan import find_committed, plan_run, plan_scoring
from tasks.read import read_identity
from tasks.report import Progress, publish_scores
from tasks.resolve import resolve_version
from tasks.score import score_bundle


@flow(flow_run_name="score with {model}", persist_result=False)
def score_batch(
    model: str, source: str, output: str, replace: bool = False, workers: int | None = None, cluster: str | None = None
) -> Scores:
    """Score a source with a registered model, and commit the scores in one step.

    Args:
        model: `name` (its champion), `name@alias` or `name/version`.
        source: a file, a folder, a glob or an fsspec URL; Parquet or CSV. Paths are absolute.
        output: the folder that will hold the scores; it appears whole or not at all.
        replace: swap the scores of another run that are there.
        workers: worker processes to start; by default tasks run on threads of this process.
        cluster: the address of an existing Dask scheduler.
    """
    return score_source(model, source, output, replace=replace, workers=workers, cluster=cluster)


def score_source(
    model: str,
    source: str,
    output: str,
    *,
    replace: bool,
    workers: int | None,
    cluster: str | None,
    options: Scoring | None = None,
) -> Scores:
    """Score a source with a model; `options` say what is kept, by default those stored with the model.

    1. resolve the model to one version, once;
    2. look at the source, and name the run by its key: the same run again has nothing to do;
    3. plan its pieces, checking every file before the first row is scored;
    4. score the bundles on Dask;
    5. commit.
    """
    version = resolve_version(model)
    run = plan_run(version, read_identity(source), str(real_output(output)), options)
    with locked(run.output), scratch_folder() as folder:
        if committed := find_committed(run, replace=replace):
            scores = _summed_up(committed, run, seconds=0.0, reused=True)
        else:
            started = time.monotonic()
            bundles = plan_scoring(run, str(folder))
            with fresh_staging(run.output) as staging:
                parts = score_bundles(bundles, run, str(staging), make_runner(workers, cluster))
                manifest = commit_scores(run, parts, bundles[-1].last + 1, str(staging))
            scores = _summed_up(manifest, run, seconds=time.monotonic() - started, reused=False)
    publish_scores(scores, version.name)
    return scores


def score_bundles(bundles: tuple[Bundle, ...], run: Run, staging: str, runner: TaskRunner[Any]) -> list[Part]:
    """Score the bundles side by side on Dask, and report progress as they are done."""
    progress = Progress(bundles[-1].last + 1, run.model.name)
    parts: list[Part] = []
    with runner:
        scored = map_task(runner, score_bundle, bundle=bundles, run=unmapped(run), staging=unmapped(staging))
        for future in scored:
            done = future.result()
            progress.advance(sum(part.rows for part in done))
            parts.extend(done)
    return parts


def _summed_up(manifest: Manifest, run: Run, *, seconds: float, reused: bool) -> Scores:
    return Scores(
        version=manifest.version,
        output=run.output,
        run_key=manifest.run_key,
        rows_in=manifest.rows_in,
        rows_scored=manifest.rows_scored,
        rows_quarantined=manifest.rows_quarantined,
        rows_reused=manifest.rows_scored if reused else 0,
        parts=len(manifest.parts),
        seconds=round(seconds, 3),
        reused=reused,
    )
