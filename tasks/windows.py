"""Plan a backfill: what is known of each window, and which are due."""

from contextlib import suppress

from prefect.logging import get_run_logger

from tasks.core.backfill import Only, Status, WindowPlan, choose, status_of
from tasks.core.card import ModelVersion
from tasks.core.errors import RequestError
from tasks.core.manifest import read_manifest
from tasks.core.objects import open_output
from tasks.core.sources import is_there
from tasks.core.spec import Scoring, Spec
from tasks.core.verify import is_whole
from tasks.core.windows import Window, fill_scoring, parse_length, parse_moment, windows_between
from tasks.uncached import uncached_task


@uncached_task(task_run_name="plan the windows of {spec.name} from {start} to {end}")
def plan_windows(spec: Spec, champion: ModelVersion, start: str, end: str, only: Only | None) -> tuple[WindowPlan, ...]:
    """List the windows from `start` to `end`, and tell which of them are due."""
    if spec.scoring.window is None:
        raise RequestError(
            f"The spec of {spec.name} has no windows: give scoring.window a length, such as 1d, and name the window "
            "in scoring.output, as in scores/{window:%Y-%m-%d}."
        )
    moments = parse_moment(start, "--from"), parse_moment(end, "--to")
    windows = windows_between(*moments, parse_length(spec.scoring.window))
    plans = choose([look_at(window, spec.scoring, champion) for window in windows], only)
    get_run_logger().info("%s of %s windows are due", sum(plan.due for plan in plans), len(plans))
    return plans


def remember_failure(plan: WindowPlan, failure: str) -> None:
    """Keep why a window failed beside its output, for the next backfill to tell; where nothing can be kept, do not."""
    with suppress(RequestError, OSError):
        open_output(plan.output).remember(failure)


def look_at(window: Window, scoring: Scoring, champion: ModelVersion) -> WindowPlan:
    """Tell what is known of the scores of one window."""
    filled = fill_scoring(scoring, window)
    status: Status
    try:
        manifest, failure = read_manifest(filled.output), open_output(filled.output).failure()
        status, why = status_of(manifest.version if manifest else None, failure, champion.version)
        if status == "missing" and not is_there(filled.source):
            why = f"{why}, and nothing to read at {filled.source}"
        if manifest and status == "current":
            if manifest.model_digest != champion.digest:
                status, why = "stale", f"scored by another {manifest.model} version {manifest.version}"
            elif not is_whole(filled.output, manifest):
                status, why = "failed", "parts are missing, or not as they were written"
    except RequestError as error:
        status, why = "failed", str(error)
    return WindowPlan(window, filled.source, filled.output, status, why)
