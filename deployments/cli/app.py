"""The `afterfit` application: every command, and the text that introduces them."""

from cyclopts import App

from deployments.cli import release, score, servers, train

HELP = """\
Everything that comes after .fit(): train, judge, register, promote and score scikit-learn models.

Start with `afterfit demo`, or with your own table: `afterfit init sales.csv --target amount`.
"""
COMMANDS = (
    release.promote,
    release.rollback,
    release.models,
    score.score,
    score.verify,
    score.backfill,
    servers.up,
    servers.down,
    servers.status,
    servers.env,
    servers.open_,
    train.demo,
    train.run,
    train.train,
    train.init,
    train.register,
)


def make_app() -> App:
    """Make the application with all its commands."""
    app = App(
        name="afterfit",
        help=HELP,
        version=_version,
        help_format="plaintext",
        suppress_keyboard_interrupt=False,  # `run_command` says a sentence about it
    )
    for command in COMMANDS:
        app.command(command)
    return app


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - 8 ms that only --version needs

    return version("afterfit")
