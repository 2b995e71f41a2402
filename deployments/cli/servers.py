"""Commands of the servers: up, down, status, env."""

from deployments.cli import answers
from deployments.cli.app import OUTPUT_OPTIONS, OutputOptions, app
from deployments.cli.console import waiting


@app.command
def up(*, talk: OutputOptions = OUTPUT_OPTIONS) -> int:
    """Start the embedded Prefect and MLflow servers, those that are not running."""
    from deployments.servers import local

    with waiting("starting the servers"):
        local.up()
    return answers.status(local.status(), talk.json)


@app.command
def down(*, talk: OutputOptions = OUTPUT_OPTIONS) -> int:
    """Stop the embedded servers; what they hold stays in AFTERFIT_HOME."""
    from deployments.servers import local

    stopped = local.down()
    return answers.plain(
        {"stopped": stopped}, f"Stopped: {', '.join(stopped) or 'nothing was running'}.", talk.json
    )


@app.command
def status(*, talk: OutputOptions = OUTPUT_OPTIONS) -> int:
    """Tell where the servers are and whether they answer; starts nothing."""
    from deployments.servers import local

    return answers.status(local.status(), talk.json)


@app.command
def env(*, talk: OutputOptions = OUTPUT_OPTIONS) -> int:
    r"""Print the exports that plain `prefect` and `mlflow` commands need.

    Example: `eval "$(afterfit env)"; prefect flow-run ls`
    """
    from deployments.servers import local

    servers = local.up()
    return answers.plain(
        {"environment": local.environment(servers)}, local.exports(servers), talk.json
    )
