"""Backfill: the windows of a stretch of time, scored with one version."""

from contextlib import ExitStack

from prefect import flow, unmapped
from prefect.futures import PrefectFuture

from flows.bundles import interrupted
from flows.scoring import score_source
from tasks.backfill import plan_windows
from tasks.core.scoring.results import Backfill, BackfillError, Scores, WindowOutcome
from tasks.core.scoring.window_status import remember_failure
from tasks.core.spec.spec import Spec
from tasks.core.windows.backfill import Only, WindowPlan
from tasks.core.windows.window import window_name
from tasks.idempotent import idempotent_task
from tasks.publish import publish_backfill
from tasks.resolve import resolve_version
from tasks.runner.make import make_threads, map_task


@flow(flow_run_name="backfill {spec.name} from {start} to {end}", persist_result=False)
def backfill_scores(
    spec: Spec,
    start: str,
    end: str,
    only: Only | None = None,
    dry_run: bool = False,
    parallel_windows: int = 2,
    workers: int | None = None,
    cluster: str | None = None,
) -> Backfill:
    """Score the windows of a stretch of time with today's champion.

    1. resolve the champion, once for all windows;
    2. plan: which windows are there, and which are due;
    3. score those side by side; a window that fails does not keep the others from being scored.

    Args:
        spec: the model under management; its scoring has a window.
        start: where the first window starts, as in 2026-01-31 or 2026-01-31T06:00; UTC unless a
            zone is named.
        end: where the last window ends.
        only: score just the windows that are missing, failed or stale (scored by another version
            than the champion),
            or all; by default whatever is not current.
        dry_run: tell what is due, and score nothing.
        parallel_windows: how many windows are scored side by side, where no worker processes are
            asked for.
        workers: worker processes to start for each window, one window after another; by default as
            `score_batch`.
        cluster: the address of an existing Dask scheduler.

    Raises:
        BackfillError: windows failed; the others are scored.
    """
    champion = resolve_version(spec.name)
    plans = plan_windows(spec, champion, start, end, only)
    outcomes = {plan.window: WindowOutcome(plan) for plan in plans}
    due = [plan for plan in plans if plan.due]
    if due and not dry_run:
        with ExitStack() as after, make_threads(1 if workers else parallel_windows) as runner:
            same = {
                "spec": spec,
                "version": champion.version,
                "workers": workers,
                "cluster": cluster,
            }
            scored = map_task(
                runner,
                score_window,
                plan=due,
                **{name: unmapped(value) for name, value in same.items()},
            )
            try:
                outcomes |= {
                    plan.window: outcome_of(plan, future)
                    for plan, future in zip(due, scored, strict=True)
                }
            except KeyboardInterrupt:
                interrupted.set()
                after.callback(interrupted.clear)  # when no window is being scored any more
                raise
    done = Backfill(spec.name, champion.version, tuple(outcomes.values()))
    publish_backfill(done)
    if done.failed:
        raise BackfillError(done)
    return done


@idempotent_task(task_run_name="score the window {plan.window.start:%Y-%m-%dT%H:%MZ}")
def score_window(
    plan: WindowPlan, spec: Spec, version: int, workers: int | None, cluster: str | None
) -> Scores:
    """Score one window; the same window again has nothing to do."""
    return score_source(
        f"{spec.name}/{version}",
        plan.source,
        plan.output,
        replace=True,
        workers=workers,
        cluster=cluster,
        options=spec.scoring,
        window=window_name(plan.window),
    )


def outcome_of(plan: WindowPlan, future: PrefectFuture[Scores]) -> WindowOutcome:
    """Wait for a window; tell its scores, or why there are none."""
    try:
        return WindowOutcome(plan, scores=future.result())
    except Exception as error:  # noqa: BLE001 - one window's failure, whatever it is, must not hide the others
        said = " ".join(str(error).split()) or type(error).__name__
        remember_failure(plan, said)
        return WindowOutcome(plan, error=said)
