"""Servers that a person has named are used, and nothing is started."""

import sys
import time

import pytest

from deployments.servers import local
from tasks.core.errors import AfterfitError


def test_a_home_that_never_had_servers_has_none_to_show():
    nothing = {"url": None, "pid": None, "running": False}
    assert local.status() == {"prefect": {**nothing, "api_url": None}, "mlflow": nothing}


def test_an_embedded_server_that_does_not_start_is_an_error(alone, monkeypatch, serve, processes):
    words = r"The MLflow server ended while starting: .*not found.*mlflow\.log"
    with serve() as (port, _):
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
        monkeypatch.setattr(sys, "executable", "/no/such/python")
        with pytest.raises(AfterfitError, match=words):
            local.up()

    assert processes(alone) == []


def test_named_servers_are_used_and_nothing_is_started(alone, monkeypatch, serve, processes):
    with serve() as (port, asked):
        monkeypatch.setenv("PREFECT_API_URL", f"http://ann:secret@127.0.0.1:{port}/api")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}/")
        servers = local.up()
        state = local.status()

    url = f"http://127.0.0.1:{port}"
    assert servers.prefect_api_url == f"http://ann:secret@127.0.0.1:{port}/api"
    assert servers.prefect_ui_url == url
    assert not servers.prefect_embedded
    assert not servers.mlflow_embedded
    assert "PREFECT_HOME" not in local.environment(servers)

    assert asked[:2] == [("/api/health", None), ("/health", None)]
    assert state["prefect"] == {"url": url, "api_url": f"{url}/api", "pid": None, "running": True}
    assert processes(alone) == []
    assert local.down() == []


@pytest.mark.parametrize(
    ("variable", "path"),
    [("PREFECT_API_URL", "/api"), ("MLFLOW_TRACKING_URI", ""), ("PREFECT_API_URL", "/wrong/")],
)
def test_a_named_server_that_does_not_answer_is_refused_at_once(
    alone, monkeypatch, variable, path, serve, low_port, processes
):
    """By its address and where that was found, without its password."""
    words = rf"127\.0\.0\.1:.*{variable}.*does not answer"
    with serve() as (port, _):
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
        monkeypatch.setenv(variable, f"http://ann:secret@127.0.0.1:{low_port()}{path}")
        started = time.perf_counter()
        with pytest.raises(AfterfitError, match=words) as caught:
            local.up()

    assert time.perf_counter() - started < 5
    assert "secret" not in str(caught.value)
    assert caught.value.exit_status == 1
    assert processes(alone) == []


def test_a_store_without_http_is_passed_through(monkeypatch, serve):
    with serve() as (port, _):
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///a b.db")
        servers = local.up()

    assert servers.mlflow_url == "sqlite:///a b.db"
    assert not servers.mlflow_embedded
