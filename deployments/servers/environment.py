"""What other processes are told of the servers to use: variables, or exports for a shell."""

import os
import shlex
from urllib.parse import unquote, urlsplit

from deployments.servers.choice import Servers
from deployments.servers.home import home
from deployments.servers.kinds import QUIET
from deployments.servers.login import read_login
from deployments.servers.ports import HOST
from tasks.core.errors import RequestError
from tasks.core.storage.secrets import without_secrets

# A dead server would otherwise block for minutes, one that is back within ten seconds is waited
# for; the user's own values go first.
PATIENCE = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "PREFECT_CLIENT_MAX_RETRIES": "3",
}
PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


def environment(servers: Servers) -> dict[str, str]:
    """Return the variables that processes need to work with these servers."""
    folder = home()
    variables = {
        "PREFECT_API_URL": servers.prefect_api_url,
        **registry_variables(servers.mlflow_url),
        "AFTERFIT_HOME": str(folder),
        "PYTHONSAFEPATH": "1",
        **QUIET,
    }
    for name, default in PATIENCE.items():
        variables[name] = os.environ.get(name) or default

    if servers.prefect_embedded:
        variables["PREFECT_HOME"] = str(folder / "prefect")
    if servers.prefect_embedded or servers.mlflow_embedded:
        variables |= _bypass_proxies()
    return variables | _credentials(servers, read_login(folder))


def exports(servers: Servers) -> str:
    """Return the same as lines for `eval` in a shell."""
    lines = []
    for name, value in environment(servers).items():
        quoted = shlex.quote(value)
        lines.append(f"export {name}={quoted}")
    return "\n".join(lines)


def registry_variables(url: str) -> dict[str, str]:
    """Return the variables that MLflow's client needs for a server.

    A password in its URL gets a variable of its own, for the URL is shown and stored.

    >>> registry_variables("https://ann:p%40ss@mlflow.example.com")["MLFLOW_TRACKING_PASSWORD"]
    'p@ss'
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not (parts.username and parts.password):
        return {"MLFLOW_TRACKING_URI": url}

    return {
        "MLFLOW_TRACKING_URI": without_secrets(url),
        "MLFLOW_TRACKING_USERNAME": unquote(parts.username),
        "MLFLOW_TRACKING_PASSWORD": unquote(parts.password),
    }


def check_reachable(servers: Servers, cluster: str | None) -> None:
    """Refuse a Dask cluster of other hosts together with servers that only this host can reach.

    Raises:
        RequestError: the cluster is not on this host; the message names the variables to set.
    """
    if not (servers.prefect_embedded or servers.mlflow_embedded):
        return
    host = urlsplit(cluster).hostname if cluster else None
    if host in {None, "localhost", "::1", HOST}:
        return

    raise RequestError(
        f"The workers of {cluster} cannot reach the embedded servers of this machine: "
        "set PREFECT_API_URL and MLFLOW_TRACKING_URI to servers that they can reach."
    )


def _credentials(servers: Servers, login: str) -> dict[str, str]:
    """Return the variables with which clients sign in to the embedded servers of a private home."""
    variables = {}
    user, _, password = login.partition(":")
    if login and servers.prefect_embedded:
        variables["PREFECT_API_AUTH_STRING"] = login
    if login and servers.mlflow_embedded:
        variables["MLFLOW_TRACKING_USERNAME"] = user
        variables["MLFLOW_TRACKING_PASSWORD"] = password
    return variables


def _bypass_proxies() -> dict[str, str]:
    """Return variables that keep clients from asking a proxy for the embedded servers."""
    if not any(os.environ.get(name) for name in PROXIES):
        return {}

    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host for host in given.split(",") if host]
    hosts.append(HOST)
    bypass = ",".join(dict.fromkeys(hosts))
    return {"no_proxy": bypass, "NO_PROXY": bypass}
