"""The real embedded servers, on ports of their own."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from deployments.servers import local
from deployments.servers.embedded import Timeouts

UP = """
import dataclasses, json
from deployments.servers import local
print(json.dumps(dataclasses.asdict(local.up())))
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory, low_port):
    """The home and ports of the real servers."""
    folder = tmp_path_factory.mktemp("real") / "a b%20?#{x}"
    variables = {
        "AFTERFIT_HOME": str(folder),
        "AFTERFIT_PREFECT_PORT": str(low_port()),
        "AFTERFIT_MLFLOW_PORT": str(low_port()),
    }
    yield variables
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFTERFIT_HOME", str(folder))
        local.down()


@pytest.fixture
def real(shared, monkeypatch):
    for name, value in shared.items():
        monkeypatch.setenv(name, value)
    return Path(shared["AFTERFIT_HOME"])


@pytest.fixture
def urls(shared):
    """The addresses that the real servers are to have."""
    prefect, mlflow = shared["AFTERFIT_PREFECT_PORT"], shared["AFTERFIT_MLFLOW_PORT"]
    return f"http://127.0.0.1:{prefect}", f"http://127.0.0.1:{mlflow}"


def pids():
    state = local.status()
    return state["prefect"]["pid"], state["mlflow"]["pid"]


def export(monkeypatch, servers):
    """Set what `afterfit env` exports, as in a shell that has evaluated it."""
    for name, value in local.environment(servers).items():
        monkeypatch.setenv(name, value)


# In the order in which they are cheap: all but the slow test share one start.


def test_two_ups_at_once_end_with_one_server_of_each(real, urls, processes):
    """And the servers let go of the pipes of those who started them."""
    command = [sys.executable, "-c", UP]
    callers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = [caller.communicate(timeout=150)[0] for caller in callers]

    prefect, mlflow = urls
    assert json.loads(first) == {
        "prefect_api_url": f"{prefect}/api",
        "prefect_ui_url": prefect,
        "mlflow_url": mlflow,
        "prefect_embedded": True,
        "mlflow_embedded": True,
    }
    assert second == first
    assert len(processes(real)) == 3  # `mlflow server` has its web server as a child


@pytest.mark.usefixtures("real")
def test_a_second_up_changes_nothing_and_takes_no_time():
    before = pids()
    started = time.perf_counter()
    servers = local.up()
    assert time.perf_counter() - started < 0.5

    prefect, mlflow = before
    assert pids() == before
    assert local.status() == {
        "prefect": {
            "url": servers.prefect_ui_url,
            "api_url": servers.prefect_api_url,
            "pid": prefect,
            "running": True,
        },
        "mlflow": {"url": servers.mlflow_url, "pid": mlflow, "running": True},
    }


@pytest.mark.usefixtures("real")
def test_the_exported_environment_leads_to_the_same_embedded_servers(monkeypatch):
    servers = local.up()
    export(monkeypatch, servers)

    assert local.up() == servers
    assert local.status()["mlflow"]["pid"]


def test_everything_a_home_holds_is_for_its_owner_alone(real):
    for path in (real, *real.iterdir()):
        assert path.stat().st_mode & 0o077 == 0

    records = [real / "servers" / name for name in ("prefect.json", "mlflow.json")]
    for path in records:
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_servers_listen_on_loopback_alone(real, processes):
    addresses = set()
    for process in processes(real):
        for link in process.net_connections("tcp"):
            if link.status == psutil.CONN_LISTEN:
                addresses.add(link.laddr.ip)

    assert addresses == {"127.0.0.1"}


@pytest.mark.usefixtures("real")
def test_the_ui_calls_the_right_api():
    servers = local.up()
    settings = f"{servers.prefect_ui_url}/ui-settings"
    with urllib.request.urlopen(settings) as response:  # noqa: S310 - a server of ours on loopback
        assert json.load(response)["api_url"] == servers.prefect_api_url


def test_both_databases_are_in_the_home(real):
    assert {path.name for path in real.rglob("*.db")} == {"prefect.db", "mlflow.db"}


@pytest.mark.slow
def test_killed_servers_are_mended_on_the_same_ports(real, monkeypatch, processes):
    """Even if that is interrupted: the next one waits for the servers that are starting."""
    servers = local.up()
    export(monkeypatch, servers)
    for pid in pids():
        os.kill(pid, signal.SIGKILL)  # the child of the MLflow server lives on and holds the port

    with subprocess.Popen([sys.executable, "-c", UP], stderr=subprocess.DEVNULL) as caller:
        while None in (starting := pids()):
            time.sleep(0.05)
        caller.send_signal(signal.SIGINT)

    assert local.up(Timeouts(recover_seconds=0.5)) == servers
    assert pids() == starting
    assert len(processes(real)) == 3


def test_down_names_what_it_stopped_and_leaves_nothing(real, urls, processes):
    """Not even the child of a killed MLflow server, which lives on and holds the port."""
    _, mlflow = pids()
    os.kill(mlflow, signal.SIGKILL)

    assert local.down() == ["prefect", "mlflow"]
    assert processes(real) == []
    assert local.down() == []

    state = local.status()
    assert state["prefect"]["pid"] is None
    assert state["prefect"]["running"] is False
    assert state["mlflow"]["url"] == urls[1]


def test_the_module_imports_none_of_the_heavy_libraries():
    heavy = {"prefect", "mlflow", "sklearn", "http.client"}
    code = f"import sys, deployments.servers.local; print({heavy!r} & set(sys.modules))"

    command = [sys.executable, "-c", code]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"
