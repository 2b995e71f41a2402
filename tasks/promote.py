"""Move the aliases of a model: promote, roll back."""

from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from tasks.core.model.version import ModelVersion
from tasks.idempotent import idempotent_task
from tasks.registry import aliases


@idempotent_task(task_run_name="promote {version.name} version {version.version}")
def promote_model(version: ModelVersion, expected: int | None) -> int | None:
    """Make a version the champion, if the champion still is the expected one.

    Returns:
        the version it replaced, if any.
    """
    name = version.name
    number = version.version
    replaced = aliases.promote(name, number, expected, str(flow_run.id or ""))

    get_run_logger().info("champion of %s is version %s, before: %s", name, number, replaced)
    return replaced


@idempotent_task(task_run_name="roll back {name}")
def rollback_model(name: str) -> tuple[int, int]:
    """Make the version before the champion again.

    Returns:
        the version that is restored, and the one that it replaces.
    """
    restored, replaced = aliases.rollback(name, str(flow_run.id or ""))

    get_run_logger().info(
        "champion of %s is version %s again, before: %s", name, restored, replaced
    )
    return restored, replaced
