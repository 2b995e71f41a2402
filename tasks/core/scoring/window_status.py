"""The status of a window: what is known of its scores."""

from contextlib import suppress

from tasks.core.errors import RequestError
from tasks.core.model.version import ModelVersion
from tasks.core.output.manifest import read_manifest
from tasks.core.output.open import open_output
from tasks.core.output.verify import is_whole
from tasks.core.spec.scoring import Scoring, fill_scoring
from tasks.core.tables.source_paths import exists
from tasks.core.windows.backfill import Status, WindowPlan, status_of
from tasks.core.windows.window import Window


def plan_window(window: Window, scoring: Scoring, champion: ModelVersion) -> WindowPlan:
    """Return what is known of the scores of one window."""
    filled = fill_scoring(scoring, window)
    try:
        status, why = _status_of(filled, champion)
    except (RequestError, OSError) as error:
        status = "failed"
        why = str(error)
    return WindowPlan(window, filled.source, filled.output, status, why)


def _status_of(filled: Scoring, champion: ModelVersion) -> tuple[Status, str]:
    manifest = read_manifest(filled.output)
    failure = open_output(filled.output).failure()
    version = manifest.version if manifest else None
    status, why = status_of(version, failure, champion.version)

    if status == "missing" and not exists(filled.source):
        return status, f"{why}, and nothing to read at {filled.source}"
    if manifest is None or status != "current":
        return status, why
    if manifest.model_digest != champion.digest:
        return "stale", f"scored by another {manifest.model} version {manifest.version}"
    if not is_whole(filled.output, manifest):
        return "failed", "parts are missing, or not as they were written"
    return status, why


def remember_failure(plan: WindowPlan, failure: str) -> None:
    """Keep why a window failed beside its output, for the next backfill, where that is possible."""
    with suppress(RequestError, OSError):
        open_output(plan.output).remember(failure)
