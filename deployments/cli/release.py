"""Commands of the registry: promote, rollback, models."""

from deployments.cli import answers
from deployments.cli.app import OUTPUT_OPTIONS, OutputOptions, app
from deployments.cli.console import session


@app.command
def promote(
    model: str, version: int, *, force: bool = False, talk: OutputOptions = OUTPUT_OPTIONS
) -> int:
    """Make a version the champion.

    Example: `afterfit promote bike-demand 3`

    Args:
        model: The registered name.
        version: The version's number.
        force: Promote it even if its gates refused it.
    """
    with session(talk.json, talk.verbose):
        from flows.release import promote_version

        replaced = promote_version(model, version, force)
    said = f"{model}: the champion is version {version}" + (
        f", before it was {replaced}." if replaced else "."
    )
    return answers.plain(
        {"model": model, "version": version, "replaced": replaced}, said, talk.json
    )


@app.command
def rollback(model: str, *, talk: OutputOptions = OUTPUT_OPTIONS) -> int:
    """Make the version before the champion again; done twice, it undoes itself.

    Example: `afterfit rollback bike-demand`

    Args:
        model: The registered name.
    """
    with session(talk.json, talk.verbose):
        from flows.release import rollback_version

        restored, replaced = rollback_version(model)
    said = f"{model}: the champion is version {restored} again, instead of {replaced}."
    return answers.plain(
        {"model": model, "version": restored, "replaced": replaced}, said, talk.json
    )


@app.command
def models(*, talk: OutputOptions = OUTPUT_OPTIONS) -> int:
    """List the registered models with their aliases."""
    with session(talk.json, talk.verbose):
        from tasks.registry.versions import list_models

        listed = list_models()
    return answers.listed(listed, talk.json)
