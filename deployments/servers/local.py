"""The embedded Prefect and MLflow servers, and which servers to use.

Each server is resolved by itself: the environment (PREFECT_API_URL, MLFLOW_TRACKING_URI), else the
active Prefect profile, else an embedded one on loopback with SQLite in the home.
AFTERFIT_PREFECT_PORT and AFTERFIT_MLFLOW_PORT are the preferred ports of a new home; the port that
was taken is remembered.
"""

import contextlib
import fcntl
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

from deployments.servers import daemon
from deployments.servers.embedded import (
    KINDS,
    MLFLOW,
    PREFECT,
    QUIET,
    ServerKind,
    launch,
    recorded,
    reuse,
    wait,
)
from deployments.servers.external import (
    ExternalServer,
    complaint,
    external_mlflow,
    external_prefect,
    prefect_ui_url,
    probe,
    without_credentials,
)
from deployments.servers.home import home
from tasks.core.errors import RequestError

__all__ = ["Servers", "Status", "down", "environment", "exports", "home", "status", "up"]
# A dead server would otherwise block for minutes, one that is back within ten seconds is waited
# for; the user's own
# values go first.
PATIENCE = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "PREFECT_CLIENT_MAX_RETRIES": "3",
}
EXTERNAL = {PREFECT: external_prefect, MLFLOW: external_mlflow}
PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


@dataclass(frozen=True)
class Servers:
    """The servers to use; the embedded ones are ours and run on this machine alone."""

    prefect_api_url: str
    prefect_ui_url: str
    mlflow_url: str
    prefect_embedded: bool
    mlflow_embedded: bool


class MlflowStatus(TypedDict):
    """The state of the MLflow server: `url` is null if it never ran, `pid` if it is not ours or not
    running.
    """

    url: str | None
    pid: int | None
    running: bool


class PrefectStatus(MlflowStatus):
    """The state of the Prefect server; `url` is its UI."""

    api_url: str | None


class Status(TypedDict):
    """The state of both servers."""

    prefect: PrefectStatus
    mlflow: MlflowStatus


def up() -> Servers:
    """Find the servers to use, start the embedded ones that do not run, and wait until they answer.

    Raises:
        AfterfitError: if a named server does not answer, or an embedded one does not start.
        RequestError: if the home cannot be used.
    """
    folder = home()
    with _locked(folder):
        named = {kind: _named(kind, folder) for kind in KINDS}
        for kind, server in named.items():
            if server:
                probe(kind.title, server)
        records = {kind: reuse(kind, folder) for kind in KINDS if not named[kind]}
        started = {kind: record or launch(kind, folder) for kind, record in records.items()}
        for kind, record in started.items():
            if record is not records[kind]:
                started[kind] = wait(kind, folder, record)
    urls = {
        kind: server.url if server else kind.url(started[kind].port)
        for kind, server in named.items()
    }
    return Servers(
        urls[PREFECT],
        _ui(urls[PREFECT], named[PREFECT]),
        urls[MLFLOW],
        not named[PREFECT],
        not named[MLFLOW],
    )


def down() -> list[str]:
    """Stop the embedded servers with all their children, and name those that ran."""
    folder = home()
    with _locked(folder):
        return [
            kind.name for kind in KINDS if daemon.stop(kind.name, folder, recorded(kind, folder))
        ]


def status() -> Status:
    """Look at the servers without starting anything."""
    folder = home()
    prefect, mlflow = (_look(kind, folder) for kind in KINDS)
    api_url = prefect["url"]
    url = _ui(api_url, _named(PREFECT, folder)) if api_url else None
    return {
        "prefect": {
            "url": url,
            "api_url": api_url,
            "pid": prefect["pid"],
            "running": prefect["running"],
        },
        "mlflow": mlflow,
    }


def environment(servers: Servers) -> dict[str, str]:
    """Return the variables that processes need to work with these servers."""
    folder = home()
    variables = {
        "PREFECT_API_URL": servers.prefect_api_url,
        "MLFLOW_TRACKING_URI": servers.mlflow_url,
        "AFTERFIT_HOME": str(folder),
        "PYTHONSAFEPATH": "1",
        **QUIET,
        **{name: os.environ.get(name) or value for name, value in PATIENCE.items()},
    }
    if servers.prefect_embedded:
        variables["PREFECT_HOME"] = str(folder / "prefect")
    return variables | (
        _past_proxies() if servers.prefect_embedded or servers.mlflow_embedded else {}
    )


def check_reachable(servers: Servers, cluster: str | None) -> None:
    """Refuse a Dask cluster of other hosts together with servers that only this host can reach.

    Raises:
        RequestError: it names the variables to set.
    """
    host = urlsplit(cluster).hostname if cluster else None
    if host in {None, "localhost", "::1", daemon.HOST} or not (
        servers.prefect_embedded or servers.mlflow_embedded
    ):
        return
    raise RequestError(
        f"The workers of {cluster} cannot reach the embedded servers of this machine: set PREFECT_API_URL and "
        "MLFLOW_TRACKING_URI to servers that they can reach."
    )


def exports(servers: Servers) -> str:
    """Return the same as lines for `eval` in a shell."""
    return "\n".join(
        f"export {name}={shlex.quote(value)}" for name, value in environment(servers).items()
    )


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time start and stop the servers of a home."""
    for name in ("servers", "logs", *(kind.name for kind in KINDS)):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    with (folder / "servers" / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _named(kind: ServerKind, folder: Path) -> ExternalServer | None:
    """Find the server a person named, unless the name is that of the embedded one, as `afterfit
    env` exports it.
    """
    named, record = EXTERNAL[kind](), recorded(kind, folder)
    if named and record and named.url.rstrip("/") == kind.url(record.port):
        ours = (
            daemon.find(record)
            or not daemon.is_listening(record.port)
            or daemon.family(kind.name, folder, record)
        )
        return None if ours else named
    return named


def _ui(api_url: str, named: ExternalServer | None) -> str:
    return prefect_ui_url(api_url) if named else api_url.removesuffix(PREFECT.api)


def _look(kind: ServerKind, folder: Path) -> MlflowStatus:
    if named := _named(kind, folder):
        return {
            "url": without_credentials(named.url),
            "pid": None,
            "running": not complaint(kind.title, named.url),
        }
    record = recorded(kind, folder)
    process = daemon.find(record)
    running = bool(record and process and daemon.answers(record.port, kind.health))
    url = kind.url(record.port) if record else None
    return {"url": url, "pid": process.pid if process else None, "running": running}


def _past_proxies() -> dict[str, str]:
    """Keep the clients of the embedded servers from asking a proxy for them."""
    if not any(os.environ.get(name) for name in PROXIES):
        return {}
    direct = (os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "").split(",")
    bypass = ",".join(dict.fromkeys([*filter(None, direct), daemon.HOST]))
    return {"no_proxy": bypass, "NO_PROXY": bypass}
