"""The status of windows."""

from contextlib import suppress

from tasks.core.errors import RequestError
from tasks.core.model.version import ModelVersion
from tasks.core.output.manifest import read_manifest
from tasks.core.output.open import open_output
from tasks.core.output.verify import is_whole
from tasks.core.spec.scoring import Scoring, fill_scoring
from tasks.core.tables.sources import exists
from tasks.core.windows.backfill import Status, WindowPlan, status_of
from tasks.core.windows.window import Window


def remember_failure(plan: WindowPlan, failure: str) -> None:
    """Keep why a window failed beside its output, for the next backfill to tell; where nothing can
    be kept, do not.
    """
    with suppress(RequestError, OSError):
        open_output(plan.output).remember(failure)


def plan_window(window: Window, scoring: Scoring, champion: ModelVersion) -> WindowPlan:
    """Tell what is known of the scores of one window."""
    filled = fill_scoring(scoring, window)
    status: Status
    try:
        manifest, failure = read_manifest(filled.output), open_output(filled.output).failure()
        status, why = status_of(manifest.version if manifest else None, failure, champion.version)
        if status == "missing" and not exists(filled.source):
            why = f"{why}, and nothing to read at {filled.source}"
        if manifest and status == "current":
            if manifest.model_digest != champion.digest:
                status, why = (
                    "stale",
                    f"scored by another {manifest.model} version {manifest.version}",
                )
            elif not is_whole(filled.output, manifest):
                status, why = "failed", "parts are missing, or not as they were written"
    except RequestError as error:
        status, why = "failed", str(error)
    return WindowPlan(window, filled.source, filled.output, status, why)
