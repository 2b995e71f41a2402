"""What other processes are told of the servers."""

import shlex
import subprocess

import pytest

from deployments.servers.choice import Servers
from deployments.servers.environment import (
    check_reachable,
    environment,
    exports,
    registry_variables,
)
from tasks.core.errors import RequestError

EMBEDDED = Servers(
    "http://127.0.0.1:1/api", "http://127.0.0.1:1", "sqlite:///it's mine.db", True, False
)
EXTERNAL = Servers("http://team/api", "http://team", "http://team:5000", False, False)


def test_exports_are_read_back_by_a_shell(alone):
    names = "$AFTERFIT_HOME|$PREFECT_HOME|$MLFLOW_TRACKING_URI"
    script = f'{exports(EMBEDDED)}\nprintf "%s" "{names}"'
    shell = ["/bin/sh", "-c", script]
    told = subprocess.run(shell, capture_output=True, text=True, check=True)

    assert told.stdout == f"{alone}|{alone}/prefect|sqlite:///it's mine.db"
    assert f"export AFTERFIT_HOME={shlex.quote(str(alone))}" in exports(EMBEDDED).splitlines()


def test_a_users_own_patience_is_kept(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "99")

    told = environment(EMBEDDED)
    assert told["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "99"
    assert told["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "2"


def test_proxies_are_kept_out_of_the_way_to_embedded_servers(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "example.com")

    told = environment(EMBEDDED)
    assert told["NO_PROXY"] == "example.com,127.0.0.1"
    assert told["no_proxy"] == "example.com,127.0.0.1"
    assert "NO_PROXY" not in environment(EXTERNAL)


@pytest.mark.parametrize(
    ("servers", "cluster", "allowed"),
    [
        (EMBEDDED, None, True),
        (EMBEDDED, "tcp://127.0.0.1:8786", True),
        (EMBEDDED, "tls://localhost:8786", True),
        (EMBEDDED, "tcp://[::1]:8786", True),
        (EMBEDDED, "tcp://10.0.0.7:8786", False),
        (EXTERNAL, "tcp://10.0.0.7:8786", True),
    ],
)
def test_a_cluster_of_other_hosts_needs_servers_that_it_can_reach(servers, cluster, allowed):
    if allowed:
        check_reachable(servers, cluster)
        return
    with pytest.raises(RequestError, match="set PREFECT_API_URL and MLFLOW_TRACKING_URI"):
        check_reachable(servers, cluster)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://team:5000", ["http://team:5000"]),
        ("http://ann:p%40ss@team:5000/x", ["http://team:5000/x", "ann", "p@ss"]),
        # What MLflow's client has no variables for stays in the URL.
        ("http://token@team:5000", ["http://token@team:5000"]),
        ("postgresql://ann:p@team/db", ["postgresql://ann:p@team/db"]),
        ("sqlite:///a b.db", ["sqlite:///a b.db"]),
    ],
)
def test_a_password_of_mlflow_gets_a_variable_of_its_own(url, expected):
    names = ["MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"]
    assert registry_variables(url) == dict(zip(names, expected, strict=False))
