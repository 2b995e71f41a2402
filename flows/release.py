"""Release: make a version the champion by hand, or go back to the one before."""

from prefect import flow

from tasks.core.errors import GateError
from tasks.promote import promote_model, rollback_model
from tasks.resolve import resolve_champion, resolve_previous, resolve_version


@flow(flow_run_name="promote {model} version {version}", persist_result=False)
def promote_version(model: str, version: int, force: bool = False) -> int | None:
    """Make a version the champion.

    Returns:
        the version it replaced, if any.

    Raises:
        GateError: its verdict does not allow it, and `force` was not given.
    """
    found = resolve_version(f"{model}/{version}")
    if not (found.passed or force):
        raise GateError(
            f"{model} version {version} was refused by its gates, or judged as another model: "
            "add --force to promote it all the same."
        )
    champion = resolve_champion(model)
    return promote_model(found, champion.version if champion else None)


@flow(flow_run_name="roll back {model}", persist_result=False)
def rollback_version(model: str) -> tuple[int, int]:
    """Make the version before the champion again.

    Returns:
        the version that is restored, and the one that it replaces.

    Raises:
        GateError: somebody set the alias to a version that was refused and never promoted.
    """
    previous = resolve_previous(model)
    if previous and not (previous.passed or previous.promoted):
        raise GateError(
            f"{previous.title} is set as the one before, but was refused by its gates and never "
            f"was the champion: `afterfit promote {model} {previous.version} --force` makes it so."
        )
    return rollback_model(model)
