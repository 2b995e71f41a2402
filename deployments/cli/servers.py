"""Commands of the servers: up, down, status, env."""

from deployments.cli import answers, lazy
from deployments.cli.console import waiting
from deployments.cli.options import OUTPUT_OPTIONS, OutputOptions


def up(*, options: OutputOptions = OUTPUT_OPTIONS) -> int:
    """Start the embedded Prefect and MLflow servers, those that are not running."""
    with waiting("starting the servers"):
        lazy.local.up()

    found = lazy.local.status()
    return answers.status(found, options.json)


def down(*, options: OutputOptions = OUTPUT_OPTIONS) -> int:
    """Stop the embedded servers; what they hold stays in AFTERFIT_HOME."""
    stopped = lazy.local.down()
    return answers.stopped(stopped, options.json)


def status(*, options: OutputOptions = OUTPUT_OPTIONS) -> int:
    """Tell where the servers are and whether they answer; starts nothing."""
    found = lazy.local.status()
    return answers.status(found, options.json)


def env(*, options: OutputOptions = OUTPUT_OPTIONS) -> int:
    r"""Print the exports that plain `prefect` and `mlflow` commands need.

    Example: `eval "$(afterfit env)"; prefect flow-run ls`
    """
    servers = lazy.local.up()
    variables = lazy.local.environment(servers)
    exports = lazy.local.exports(servers)

    return answers.exported(variables, exports, options.json)
