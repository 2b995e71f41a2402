"""Backfill: the windows of a stretch of time, scored with one version."""

from collections.abc import Sequence

from prefect import flow, unmapped
from prefect.futures import PrefectFuture

from flows.interruption import interruptible
from flows.scoring import score_source
from tasks.backfill import plan_windows
from tasks.core.scoring.results import Backfill, BackfillError, Scores, WindowOutcome
from tasks.core.scoring.window_status import remember_failure
from tasks.core.spec.spec import Spec
from tasks.core.windows.backfill import Only, WindowPlan
from tasks.core.windows.window import Window, window_name
from tasks.idempotent import idempotent_task
from tasks.publish import publish_backfill
from tasks.resolve import resolve_version
from tasks.runner.compute import Compute
from tasks.runner.make import check_parallel_windows, make_threads, map_task, parallelism


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
            than the champion), or all; by default whatever is not current.
        dry_run: say what is due, and score nothing.
        parallel_windows: how many windows are scored side by side; they share the cores. Where
            worker processes are asked for, it is one after another.
        workers: worker processes to start for each window; by default as `score_batch`.
        cluster: the address of an existing Dask scheduler.

    Raises:
        BackfillError: windows failed; the others are scored.
    """
    compute = Compute(workers, cluster)
    check_parallel_windows(parallel_windows)
    champion = resolve_version(spec.name)

    plans = plan_windows(spec, champion, start, end, only)
    outcomes = {plan.window: WindowOutcome(plan) for plan in plans}

    due = [plan for plan in plans if plan.due]
    if due and not dry_run:
        at_once = 1 if workers else min(parallel_windows, len(due))
        outcomes |= score_windows(due, spec, champion.version, compute, at_once)

    done = Backfill(spec.name, champion.version, tuple(outcomes.values()))
    publish_backfill(done)
    if done.failed:
        raise BackfillError(done)
    return done


def score_windows(
    due: Sequence[WindowPlan], spec: Spec, version: int, compute: Compute, at_once: int
) -> dict[Window, WindowOutcome]:
    """Score windows side by side, so many at once; when this is interrupted, they all stop."""
    if compute.is_this_process:
        compute = Compute(threads=max(1, parallelism() // at_once))
    same = {"spec": unmapped(spec), "version": unmapped(version), "compute": unmapped(compute)}

    with make_threads(at_once) as runner, interruptible():
        scored = map_task(runner, score_window, plan=due, **same)
        pairs = zip(due, scored, strict=True)
        return {plan.window: outcome_of(plan, future) for plan, future in pairs}


@idempotent_task(task_run_name="score the window {plan.window.start:%Y-%m-%dT%H:%MZ}")
def score_window(plan: WindowPlan, spec: Spec, version: int, compute: Compute) -> Scores:
    """Score one window; the same window again has nothing to do."""
    return score_source(
        f"{spec.name}/{version}",
        plan.source,
        plan.output,
        replace=True,
        compute=compute,
        scoring=spec.scoring,
        window=window_name(plan.window),
    )


def outcome_of(plan: WindowPlan, future: PrefectFuture[Scores]) -> WindowOutcome:
    """Wait for a window; return its scores, or why there are none."""
    try:
        return WindowOutcome(plan, scores=future.result())
    except Exception as error:  # noqa: BLE001 - whatever failed one window must not hide the others
        reason = " ".join(str(error).split()) or type(error).__name__
        remember_failure(plan, reason)
        return WindowOutcome(plan, error=reason)
