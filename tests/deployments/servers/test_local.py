"""The real embedded servers of a private home, on ports of their own."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

import afterfit
from deployments.servers import embedded, local
from deployments.servers.embedded import Timeouts
from deployments.servers.login import make_login, read_login
from tasks.core.errors import RequestError

UP = """
import dataclasses, json
from deployments.servers import local
print(json.dumps(dataclasses.asdict(local.up())))
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory, low_port):
    """The home and ports of the real servers, which are private from their first start."""
    folder = tmp_path_factory.mktemp("real") / "a b%20?#{x}"
    folder.mkdir(mode=0o700)
    with embedded.lock(folder):
        make_login(folder)

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


def status_of(url, login, body=None):
    """Return the status of an answer to a client with a login."""
    headers = {"Content-Type": "application/json"}
    if login:
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - a server of ours
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310 - the same
            return response.status
    except urllib.error.HTTPError as refused:
        return refused.code


def run_afterfit(*arguments, **variables):
    """Run a command as its user does."""
    command = [str(Path(sys.executable).with_name("afterfit")), *map(str, arguments)]
    environment = os.environ | variables
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


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
    pages = real / "prefect" / "ui"  # copied from the package with their permissions
    held = [path for path in (real, *real.rglob("*")) if pages not in path.parents]
    assert [path for path in held if path.stat().st_mode & 0o077] == []

    records = [real / "servers" / name for name in ("prefect.json", "mlflow.json", "login")]
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
def test_the_ui_calls_the_right_api_and_asks_for_the_login():
    servers = local.up()
    settings = f"{servers.prefect_ui_url}/ui-settings"
    with urllib.request.urlopen(settings) as response:  # noqa: S310 - a server of ours on loopback
        found = json.load(response)
    assert (found["api_url"], found["auth"]) == ("/api", "BASIC")


def test_both_databases_are_in_the_home(real):
    assert {path.name for path in real.rglob("*.db")} == {"prefect.db", "mlflow.db"}


@pytest.mark.parametrize("login", ["", "afterfit:guessed", "{login}"])
def test_only_who_has_the_login_is_let_in(real, login):
    given = login.format(login=read_login(real))
    servers = local.up()
    expected = 200 if given == read_login(real) else 401
    assert status_of(f"{servers.prefect_api_url}/flows/count", given, b"{}") == expected
    assert status_of(f"{servers.mlflow_url}/version", given) == expected
    assert status_of(f"{servers.mlflow_url}/health", "") == 200


@pytest.mark.parametrize(("token", "told"), [("guessed", "1008"), ("{login}", "auth_success")])
def test_websockets_ask_for_it_too(real, token, told):
    from websockets.exceptions import ConnectionClosedError
    from websockets.sync.client import connect

    url = local.up().prefect_api_url.replace("http:", "ws:")
    with connect(f"{url}/events/in", subprotocols=["prefect"]) as socket:
        message = {"type": "auth", "token": token.format(login=read_login(real))}
        socket.send(json.dumps(message))
        try:
            answer = socket.recv(timeout=60)
        except ConnectionClosedError as closed:
            answer = str(closed.rcvd.code)
    assert told in answer


def test_a_command_signs_in_by_itself(shared):
    done = run_afterfit("models", "--json", **shared)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"models": []})


@pytest.mark.parametrize("others", [{}, {"MLFLOW_TRACKING_USERNAME": "somebody"}])
def test_a_program_that_opens_a_model_is_signed_in_too(real, monkeypatch, others):
    """And what its environment holds for other servers stays what it is."""
    for name, value in others.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RequestError, match="no alias 'champion' of a model 'nobody'"):
        afterfit.open_model("nobody")
    assert {name: os.environ[name] for name in os.environ if "MLFLOW_TRACKING" in name} == others


@pytest.mark.slow
def test_commands_with_worker_processes_run_in_a_private_home(real, shared, sales, processes):
    """What they are told of the login stands on no command line and in no log."""
    password = read_login(real).partition(":")[2]
    ridge = "candidates=[{estimator: sklearn.linear_model.Ridge}]"
    done = run_afterfit("run", sales, "--workers", "1", "--set", ridge, "--json", **shared)
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout)
    assert ended["scores"]["rows_scored"] == 400
    assert password not in done.stdout + done.stderr

    for fetched in (real / "models").iterdir():
        shutil.rmtree(fetched)  # a program fetches it with the same login
    assert afterfit.open_model(ended["model"]).version.version == 1

    told = [" ".join(process.cmdline()) for process in processes(real)]
    told += [path.read_text(errors="replace") for path in (real / "logs").iterdir()]
    assert [text for text in told if password in text] == []


def test_to_ask_for_a_private_home_twice_changes_nothing(real, shared):
    before, login = pids(), read_login(real)
    done = run_afterfit("up", "--private", "--json", **shared)
    assert (done.returncode, pids(), read_login(real)) == (0, before, login)


def test_a_browser_is_given_a_file_that_signs_it_in(real, shared, tmp_path):
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    browser.chmod(0o700)
    done = run_afterfit("open", "--json", BROWSER=f"{browser} %s", **shared)
    page = Path(json.loads(done.stdout)["page"])
    assert (tmp_path / "asked").read_text().strip() == page.as_uri()
    assert page.is_relative_to(real)
    assert page.read_text().count(read_login(real).replace(":", "%3A")) == 2


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
