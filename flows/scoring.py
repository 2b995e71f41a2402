"""Scoring: from a model and a source to a committed output."""

import time
from contextlib import ExitStack

from prefect import flow, unmapped
from prefect.futures import PrefectFuture

from flows.bundles import interrupted, score_pieces
from flows.runner import check_workers, make_threads, map_task
from tasks.commit import commit_scores
from tasks.core.backfill import Only, WindowPlan
from tasks.core.errors import AfterfitError
from tasks.core.folders import scratch_folder
from tasks.core.inputs import digesting
from tasks.core.manifest import Manifest
from tasks.core.objects import open_output
from tasks.core.plan import check_copies
from tasks.core.results import Backfill, BackfillError, Scores, WindowOutcome
from tasks.core.sources import check_unchanged
from tasks.core.spec import Scoring, Spec
from tasks.core.windows import window_name
from tasks.plan import find_committed, plan_run, plan_scoring
from tasks.read import read_identity
from tasks.report import publish_backfill, publish_quarantine, publish_scores
from tasks.resolve import resolve_version
from tasks.uncached import uncached_task
from tasks.windows import plan_windows, remember_failure


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
        max_bad_rows: how many rows may go to quarantine: a count, or a share below 1; by default what the spec says.
        workers: worker processes to start; by default tasks run on threads of this process, unless the source is
            large and the model holds Python's lock: then there is one process on each core.
        cluster: the address of an existing Dask scheduler.
    """
    return score_source(
        model, source, output, replace=replace, max_bad_rows=max_bad_rows, workers=workers, cluster=cluster
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
    """Score a source with a model; `options` say what is kept, by default those stored with the model.

    1. resolve the model to one version, once;
    2. look at the source, and name the run by its key: the same run again has nothing to do;
    3. plan its pieces, checking every file before the first row is scored, and find those a dead attempt finished;
    4. score the other pieces on Dask, while the content of the source is digested;
    5. commit.
    """
    check_workers(workers, cluster)
    version = resolve_version(model)
    found, target = read_identity(source), open_output(output)
    check_copies(found.files, target.location, cluster)
    run = plan_run(version, found, target.location, options, max_bad_rows)
    with target.locked(), scratch_folder() as folder:
        if committed := find_committed(run, replace=replace):
            target.clean(committed)
            scores = _summed_up(committed, run.output, committed.rows_scored, reused=True)
        else:
            started = time.monotonic()
            with target.stage(run.key, folder) as staging, digesting(found.files) as inputs:
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


@flow(flow_run_name="backfill {spec.name} from {start} to {end}", persist_result=False)
def backfill_scores(
    spec: Spec,
    start: str,
    end: str,
    only: Only | None = None,
    dry_run: bool = False,
    at_once: int = 2,
    workers: int | None = None,
    cluster: str | None = None,
) -> Backfill:
    """Score the windows of a stretch of time with today's champion.

    1. resolve the champion, once for all windows;
    2. plan: which windows are there, and which are due;
    3. score those side by side; a window that fails does not keep the others from being scored.

    Args:
        spec: the model under management; its scoring has a window.
        start: where the first window starts, as in 2026-01-31 or 2026-01-31T06:00; UTC unless a zone is named.
        end: where the last window ends.
        only: score just the windows that are missing, failed or stale (scored by another version than the champion),
            or all; by default whatever is not current.
        dry_run: tell what is due, and score nothing.
        at_once: how many windows are scored side by side, where no worker processes are asked for.
        workers: worker processes to start for each window, one window after another; by default as `score_batch`.
        cluster: the address of an existing Dask scheduler.

    Raises:
        BackfillError: windows failed; the others are scored.
    """
    champion = resolve_version(spec.name)
    plans = plan_windows(spec, champion, start, end, only)
    outcomes = {plan.window: WindowOutcome(plan) for plan in plans}
    due = [plan for plan in plans if plan.due]
    if due and not dry_run:
        with ExitStack() as after, make_threads(1 if workers else at_once) as runner:
            same = {"spec": spec, "version": champion.version, "workers": workers, "cluster": cluster}
            scored = map_task(runner, score_window, plan=due, **{name: unmapped(value) for name, value in same.items()})
            try:
                outcomes |= {plan.window: outcome_of(plan, future) for plan, future in zip(due, scored, strict=True)}
            except KeyboardInterrupt:
                interrupted.set()
                after.callback(interrupted.clear)  # when no window is being scored any more
                raise
    done = Backfill(spec.name, champion.version, tuple(outcomes.values()))
    publish_backfill(done)
    if done.failed:
        raise BackfillError(done)
    return done


@uncached_task(task_run_name="score the window {plan.window.start:%Y-%m-%dT%H:%MZ}")
def score_window(plan: WindowPlan, spec: Spec, version: int, workers: int | None, cluster: str | None) -> Scores:
    """Score one window; the same window again has nothing to do."""
    return score_source(
        f"{spec.name}/{version}", plan.source, plan.output, replace=True, workers=workers, cluster=cluster,
        options=spec.scoring, window=window_name(plan.window),
    )  # fmt: skip


def outcome_of(plan: WindowPlan, future: PrefectFuture[Scores]) -> WindowOutcome:
    """Wait for a window; tell its scores, or why there are none."""
    try:
        return WindowOutcome(plan, scores=future.result())
    except Exception as error:  # noqa: BLE001 - one window's failure, whatever it is, must not hide the others
        said = " ".join(str(error).split()) or type(error).__name__
        remember_failure(plan, said)
        return WindowOutcome(plan, error=said)


def _summed_up(manifest: Manifest, output: str, kept: int, *, seconds: float = 0.0, reused: bool = False) -> Scores:
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
