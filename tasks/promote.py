"""Move the aliases of a model: promote, roll back."""

from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from tasks.core.model.version import ModelVersion
from tasks.idempotent import idempotent_task
from tasks.registry import aliases


@idempotent_task(task_run_name="promote {version.name} version {version.version}")
def promote_model(version: ModelVersion, expected: int | None) -> int | None:
    """Make a version the champion, if the champion still is the expected one; give the version it
    replaced.
    """
    replaced = aliases.promote(version.name, version.version, expected, str(flow_run.id or ""))
    get_run_logger().info(
        "champion of %s is version %s, before it was %s", version.name, version.version, replaced
    )
    return replaced


@idempotent_task(task_run_name="roll back {name}")
def rollback_model(name: str) -> tuple[int, int]:
    """Make the version before the champion again; give (restored, replaced)."""
    restored, replaced = aliases.rollback(name, str(flow_run.id or ""))
    get_run_logger().info(
        "champion of %s is version %s again, instead of %s", name, restored, replaced
    )
    return restored, replaced
