"""The state of the servers, looked at without starting anything."""

from pathlib import Path
from typing import TypedDict

from deployments.servers import daemon
from deployments.servers.choice import find_external, find_ui_url
from deployments.servers.embedded import recorded
from deployments.servers.external import complaint
from deployments.servers.home import home
from deployments.servers.kinds import MLFLOW, PREFECT, ServerKind
from deployments.servers.ports import is_healthy
from tasks.core.storage.secrets import without_secrets


class ServerStatus(TypedDict):
    """The state of a server.

    `url` is null if it never ran, `pid` if it is not ours or not running.
    """

    url: str | None
    pid: int | None
    running: bool


class PrefectStatus(ServerStatus):
    """The state of the Prefect server; `url` is its UI."""

    api_url: str | None


class Status(TypedDict):
    """The state of both servers."""

    prefect: PrefectStatus
    mlflow: ServerStatus


def status() -> Status:
    """Return the state of both servers."""
    folder = home()
    prefect = _status_of(PREFECT, folder)
    mlflow = _status_of(MLFLOW, folder)

    api_url = prefect["url"]
    ui_url = find_ui_url(api_url, find_external(PREFECT, folder)) if api_url else None
    return {
        "prefect": {
            "url": ui_url,
            "api_url": api_url,
            "pid": prefect["pid"],
            "running": prefect["running"],
        },
        "mlflow": mlflow,
    }


def _status_of(kind: ServerKind, folder: Path) -> ServerStatus:
    """Return the state of a server; `url` is that of its API."""
    if external := find_external(kind, folder):
        return {
            "url": without_secrets(external.url),
            "pid": None,
            "running": not complaint(kind.title, external.url),
        }

    record = recorded(kind, folder)
    if record is None:
        return {"url": None, "pid": None, "running": False}

    process = daemon.find(record)
    return {
        "url": kind.url(record.port),
        "pid": process.pid if process else None,
        "running": process is not None and is_healthy(record.port, kind.health),
    }
