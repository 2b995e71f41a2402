"""Commands of the registry: promote, rollback, models."""

from deployments.cli import answers, lazy
from deployments.cli.options import OUTPUT_OPTIONS, OutputOptions
from deployments.cli.session import session


def promote(
    model: str, version: int, *, force: bool = False, options: OutputOptions = OUTPUT_OPTIONS
) -> int:
    """Make a version the champion.

    Example: `afterfit promote bike-demand 3`

    Args:
        model: The registered name.
        version: The version's number.
        force: Promote it even if its gates refused it.
    """
    with session(options):
        replaced = lazy.release.promote_version(model, version, force)

    return answers.promoted(model, version, replaced, options.json)


def rollback(model: str, *, options: OutputOptions = OUTPUT_OPTIONS) -> int:
    """Make the version before the champion again; done twice, it undoes itself.

    Example: `afterfit rollback bike-demand`

    Args:
        model: The registered name.
    """
    with session(options):
        restored, replaced = lazy.release.rollback_version(model)

    return answers.rolled_back(model, restored, replaced, options.json)


def models(*, options: OutputOptions = OUTPUT_OPTIONS) -> int:
    """List the registered models with their aliases."""
    with session(options):
        listed = lazy.versions.list_models()

    return answers.listed(listed, options.json)
