"""Commands of the servers: up, down, status, env, open."""

from deployments.cli import answers, lazy
from deployments.cli.console import waiting
from deployments.cli.options import OUTPUT_OPTIONS, OutputOptions
from tasks.core.errors import AfterfitError


def up(*, private: bool | None = None, options: OutputOptions = OUTPUT_OPTIONS) -> int:
    """Start the embedded Prefect and MLflow servers, those that are not running.

    Args:
        private: Let them ask for a password, for a machine with other users, from now on and until
            `afterfit up --no-private`; servers that run otherwise are started again.
    """
    with waiting("starting the servers"):
        lazy.local.up(private=private)

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


def open_(*, options: OutputOptions = OUTPUT_OPTIONS) -> int:
    """Open the pages of the servers in a browser, which is signed in where they are private."""
    import webbrowser  # noqa: PLC0415 - for this command alone

    with waiting("starting the servers"):
        servers = lazy.local.up()

    page = lazy.local.write_links(servers)
    if not webbrowser.open(page.as_uri()):
        raise AfterfitError(
            f"No browser can be started here: open {page} in one of this machine, "
            "or sign in with what `afterfit env` prints."
        )
    return answers.opened(page, options.json)
