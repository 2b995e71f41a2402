"""Plan a backfill: what is known of each window, and which are due."""

from prefect.logging import get_run_logger

from tasks.core.errors import RequestError
from tasks.core.model.version import ModelVersion
from tasks.core.scoring.window_status import plan_window
from tasks.core.spec.spec import Spec
from tasks.core.windows.backfill import Only, WindowPlan, choose
from tasks.core.windows.window import parse_length, parse_timestamp, windows_between
from tasks.idempotent import idempotent_task


@idempotent_task(task_run_name="plan the windows of {spec.name} from {start} to {end}")
def plan_windows(
    spec: Spec, champion: ModelVersion, start: str, end: str, only: Only | None
) -> tuple[WindowPlan, ...]:
    """List the windows from `start` to `end`, and say which of them are due."""
    if spec.scoring.window is None:
        raise RequestError(
            f"The spec of {spec.name} has no windows: give scoring.window a length, such as 1d, "
            "and name the window in scoring.output, as in scores/{window:%Y-%m-%d}."
        )
    first = parse_timestamp(start, "--from")
    last = parse_timestamp(end, "--to")
    windows = windows_between(first, last, parse_length(spec.scoring.window))

    plans = choose([plan_window(window, spec.scoring, champion) for window in windows], only)
    due = [plan for plan in plans if plan.due]
    get_run_logger().info("%s of %s windows are due", len(due), len(plans))
    return plans
