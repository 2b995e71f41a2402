"""The servers to use from this machine: brought up, stopped, looked at.

Each server is resolved by itself: the environment (PREFECT_API_URL, MLFLOW_TRACKING_URI), else the
active Prefect profile, else an embedded one on loopback with SQLite in the home.
AFTERFIT_PREFECT_PORT and AFTERFIT_MLFLOW_PORT are the preferred ports of a new home; the port that
was taken is remembered.
"""

from collections.abc import Sequence
from pathlib import Path

from deployments.servers import embedded
from deployments.servers.choice import Servers, find_external, find_ui_url
from deployments.servers.embedded import TIMEOUTS, Timeouts
from deployments.servers.environment import check_reachable, environment, exports
from deployments.servers.external import probe
from deployments.servers.home import home
from deployments.servers.kinds import KINDS, MLFLOW, PREFECT, ServerKind
from deployments.servers.links import write_links
from deployments.servers.login import drop_login, make_login, read_login
from deployments.servers.status import Status, status
from tasks.core.errors import RequestError

__all__ = [
    "Servers",
    "Status",
    "check_reachable",
    "down",
    "environment",
    "exports",
    "home",
    "status",
    "up",
    "write_links",
]


def up(timeouts: Timeouts = TIMEOUTS, private: bool | None = None) -> Servers:
    """Return the servers to use, all answering; embedded ones that do not run are started.

    Args:
        timeouts: how long each is waited for.
        private: whether the embedded ones ask for a login, from now on; None leaves it as it is.

    Raises:
        AfterfitError: an external server does not answer, or an embedded one does not start.
        RequestError: the home cannot be used, or has no servers to be private.
    """
    folder = home()
    with embedded.lock(folder):
        external = {kind: find_external(kind, folder) for kind in KINDS}
        for kind, server in external.items():
            if server:
                probe(kind.title, server)

        ours = [kind for kind in KINDS if not external[kind]]
        if private is not None:
            _set_private(private, ours, folder)
        records = embedded.start(ours, folder, timeouts)

    urls = {kind: server.url for kind, server in external.items() if server}
    urls |= {kind: kind.url(record.port) for kind, record in records.items()}
    return Servers(
        prefect_api_url=urls[PREFECT],
        prefect_ui_url=find_ui_url(urls[PREFECT], external[PREFECT]),
        mlflow_url=urls[MLFLOW],
        prefect_embedded=PREFECT in records,
        mlflow_embedded=MLFLOW in records,
    )


def _set_private(private: bool, ours: Sequence[ServerKind], folder: Path) -> None:
    """Let the servers of a home ask for a login, or not; those that run otherwise are stopped."""
    if private and not ours:
        raise RequestError(
            "Both servers are named by you, so there is none here to be private: "
            "leave out --private, or take PREFECT_API_URL or MLFLOW_TRACKING_URI away."
        )
    if private == bool(read_login(folder)):
        return

    embedded.stop(KINDS, folder)  # first: none may run that does not know
    if private:
        make_login(folder)
    else:
        drop_login(folder)


def down() -> list[str]:
    """Stop the embedded servers with all their children, and return the names of those that ran."""
    folder = home()
    with embedded.lock(folder):
        return embedded.stop(KINDS, folder)
