"""The embedded servers, with real ones on ports of their own."""

import contextlib
import dataclasses
import http.client
import http.server
import json
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from deployments.servers import daemon, embedded, external, home, local
from tasks.core.errors import AfterfitError, RequestError

UP = "import json, dataclasses; from deployments.servers import local; print(json.dumps(dataclasses.asdict(local.up())))"
FOREIGN = ("PREFECT_", "MLFLOW_", "AFTERFIT_", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy")


def free_port():
    """Below the ports that systems hand out by themselves."""
    return next(port for port in random.sample(range(20_000, 30_000), 100) if daemon.is_free(port))


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """A home of its own, and nothing external."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AFTERFIT_HOME", str(tmp_path / "a home"))
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "profiles.toml"))
    return tmp_path / "a home"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The home and ports of the real servers."""
    folder = tmp_path_factory.mktemp("real") / "a b%20?#{x}"
    variables = {
        "AFTERFIT_HOME": str(folder),
        "AFTERFIT_PREFECT_PORT": str(free_port()),
        "AFTERFIT_MLFLOW_PORT": str(free_port()),
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
def answering():
    """A server of somebody else's that answers every health check, and keeps what it was asked."""
    asked = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Authorization")))
            self.send_response(200 if self.path.endswith("/health") else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    @contextlib.contextmanager
    def serve(port=0):
        with http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield server.server_port, asked
            finally:
                server.shutdown()
                thread.join()

    return serve


def pids():
    state = local.status()
    return state["prefect"]["pid"], state["mlflow"]["pid"]


def processes(folder):
    """Every process of a home's servers, found without the records."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environ = process.environ()
            if daemon.NONCE in environ and environ.get("AFTERFIT_HOME") == str(folder):
                found.append(process)
    return [process for process in found if daemon.is_alive(process)]


# Real servers, in the order in which they are cheap.


def test_two_ups_at_once_end_with_one_server_of_each_and_let_go_of_their_pipes(real):
    callers = [
        subprocess.Popen([sys.executable, "-c", UP], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [json.loads(caller.communicate(timeout=150)[0]) for caller in callers]
    assert told[0] == told[1]
    assert told[0] == {
        "prefect_api_url": f"http://127.0.0.1:{os.environ['AFTERFIT_PREFECT_PORT']}/api",
        "prefect_ui_url": f"http://127.0.0.1:{os.environ['AFTERFIT_PREFECT_PORT']}",
        "mlflow_url": f"http://127.0.0.1:{os.environ['AFTERFIT_MLFLOW_PORT']}",
        "prefect_embedded": True,
        "mlflow_embedded": True,
    }
    assert len(processes(real)) == 3  # `mlflow server` has its web server as a child


@pytest.mark.usefixtures("real")
def test_a_second_up_changes_nothing_and_takes_no_time():
    before, started = pids(), time.perf_counter()
    servers = local.up()
    assert time.perf_counter() - started < 0.5
    assert pids() == before
    assert local.status() == {
        "prefect": {
            "url": servers.prefect_ui_url,
            "api_url": servers.prefect_api_url,
            "pid": before[0],
            "running": True,
        },
        "mlflow": {"url": servers.mlflow_url, "pid": before[1], "running": True},
    }


@pytest.mark.usefixtures("real")
def test_the_exported_environment_leads_to_the_same_embedded_servers(monkeypatch):
    servers = local.up()
    for name, value in local.environment(servers).items():
        monkeypatch.setenv(name, value)
    assert local.up() == servers
    assert local.status()["mlflow"]["pid"]


def test_everything_a_home_holds_is_for_its_owner_alone(real):
    assert {path.stat().st_mode & 0o077 for path in (real, *real.iterdir())} == {0}
    records = (real / "servers").glob("*.json")
    assert [record.stat().st_mode & 0o777 for record in records] == [0o600, 0o600]


def test_the_servers_listen_on_loopback_alone_and_the_ui_calls_the_right_api(real):
    links = [link for process in processes(real) for link in process.net_connections("tcp")]
    assert {link.laddr.ip for link in links if link.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
    servers = local.up()
    connection = http.client.HTTPConnection(servers.prefect_ui_url.removeprefix("http://"))
    connection.request("GET", "/ui-settings")
    with connection.getresponse() as answer:
        assert json.load(answer)["api_url"] == servers.prefect_api_url
    connection.close()
    assert {path.name for path in real.rglob("*.db")} == {"prefect.db", "mlflow.db"}


def test_killed_servers_are_mended_on_the_same_ports_without_leftovers_even_if_that_is_interrupted(
    real, monkeypatch
):
    servers, killed = local.up(), pids()
    for name, value in local.environment(servers).items():
        monkeypatch.setenv(name, value)  # as in a shell that has the exports
    for pid in killed:
        os.kill(pid, signal.SIGKILL)  # the child of the MLflow server lives on and holds the port
    with subprocess.Popen([sys.executable, "-c", UP], stderr=subprocess.DEVNULL) as caller:
        while None in (starting := pids()):
            time.sleep(0.05)
        caller.send_signal(signal.SIGINT)
    monkeypatch.setattr(embedded, "HEALTH_SECONDS", 0.5)
    assert local.up() == servers
    assert pids() == starting
    assert len(processes(real)) == 3


@pytest.mark.usefixtures("real")
def test_a_server_that_hangs_is_replaced(monkeypatch):
    monkeypatch.setattr(embedded, "HEALTH_SECONDS", 0.5)
    monkeypatch.setattr(daemon.answers, "__defaults__", (0.2,))
    monkeypatch.setattr(daemon, "STOP_SECONDS", 0.5)
    prefect, mlflow = pids()
    os.kill(prefect, signal.SIGSTOP)
    local.up()
    assert pids()[0] not in (prefect, None)
    assert pids()[1] == mlflow
    assert not psutil.pid_exists(prefect)


def test_down_leaves_nothing_and_names_what_it_stopped(real):
    assert local.down() == ["prefect", "mlflow"]
    assert processes(real) == []
    assert local.down() == []
    state = local.status()
    assert (state["prefect"]["pid"], state["prefect"]["running"]) == (None, False)
    assert state["mlflow"]["url"] == f"http://127.0.0.1:{os.environ['AFTERFIT_MLFLOW_PORT']}"


def test_a_reused_pid_and_a_foreign_server_are_left_alone_and_the_next_port_is_remembered(
    real, answering
):
    path = real / "servers" / "prefect.json"
    before = daemon.read_record(path)
    with answering(before.port), subprocess.Popen(["/bin/sleep", "600"]) as stranger:
        daemon.write_record(
            path,
            daemon.Record(stranger.pid, before.created, before.host, before.nonce, before.port),
        )
        assert local.down() == []
        servers = local.up()
        assert stranger.poll() is None
        assert daemon.answers(before.port, "/api/health")
        stranger.kill()
    port = daemon.read_record(path).port
    assert before.port < port < before.port + 5
    assert servers.prefect_api_url == f"http://127.0.0.1:{port}/api"
    assert local.up() == servers


def test_servers_without_a_readable_record_are_found_and_stopped(real):
    (real / "servers" / "prefect.json").write_text('{"pid": 12')
    (real / "servers" / "mlflow.json").unlink()
    assert local.status()["prefect"] == {
        "url": None,
        "api_url": None,
        "pid": None,
        "running": False,
    }
    assert local.down() == ["prefect", "mlflow"]
    assert processes(real) == []


# ExternalServer servers and failures: nothing is started.


def test_a_server_that_dies_while_starting_is_reported_with_its_last_words(
    alone, monkeypatch, answering
):
    with answering() as (port, _):
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
        monkeypatch.setattr(sys, "executable", "/no/such/python")
        with pytest.raises(
            AfterfitError, match=r"The MLflow server ended while starting: .*not found.*mlflow\.log"
        ):
            local.up()
    assert processes(alone) == []


def test_named_servers_are_used_and_nothing_is_started(alone, monkeypatch, answering):
    with answering() as (port, asked):
        monkeypatch.setenv("PREFECT_API_URL", f"http://ann:secret@127.0.0.1:{port}/api")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}/")
        servers = local.up()
        state = local.status()
    assert servers.prefect_api_url == f"http://ann:secret@127.0.0.1:{port}/api"
    assert servers.prefect_ui_url == f"http://127.0.0.1:{port}"
    assert (servers.prefect_embedded, servers.mlflow_embedded) == (False, False)
    assert asked[:2] == [("/api/health", None), ("/health", None)]
    assert state["prefect"] == {
        "url": f"http://127.0.0.1:{port}",
        "api_url": f"http://127.0.0.1:{port}/api",
        "pid": None,
        "running": True,
    }
    assert "PREFECT_HOME" not in local.environment(servers)
    assert processes(alone) == []
    assert local.down() == []


@pytest.mark.parametrize(
    ("variable", "path"),
    [("PREFECT_API_URL", "/api"), ("MLFLOW_TRACKING_URI", ""), ("PREFECT_API_URL", "/wrong/")],
)
def test_a_named_server_that_does_not_answer_is_refused_at_once_without_its_password(
    alone, monkeypatch, variable, path, answering
):
    with answering() as (port, _):
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
        monkeypatch.setenv(variable, f"http://ann:secret@127.0.0.1:{free_port()}{path}")
        started = time.perf_counter()
        with pytest.raises(
            AfterfitError, match=rf"127\.0\.0\.1:.*{variable}.*does not answer"
        ) as caught:
            local.up()
    assert time.perf_counter() - started < 5
    assert "secret" not in str(caught.value)
    assert caught.value.exit_status == 1
    assert processes(alone) == []


def test_a_prefect_url_without_the_api_is_refused():
    class Missing(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Missing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert external.complaint("Prefect", url) == f"status 404 from {url}/health"
        assert external.complaint("MLflow", url) == ""
        server.shutdown()
        thread.join()


def test_a_server_that_accepts_and_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(external, "PROBE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "timed out" in external.complaint(
            "Prefect", f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        )


def test_a_store_without_http_is_passed_through(monkeypatch, answering):
    with answering() as (port, _):
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///a b.db")
        servers = local.up()
    assert servers.mlflow_url == "sqlite:///a b.db"
    assert not servers.mlflow_embedded


PROFILES = """
active = "work"
[profiles.work]
PREFECT_API_URL = "http://work:4200/api"
[profiles.other]
PREFECT_API_URL = "http://other:4200/api"
[profiles.bare]
PREFECT_LOGGING_LEVEL = "DEBUG"
[profiles.odd]
PREFECT_API_URL = 7
"""


@pytest.mark.parametrize(
    ("text", "profile", "expected"),
    [
        (
            PROFILES,
            None,
            external.ExternalServer("http://work:4200/api", "the Prefect profile 'work'"),
        ),
        (
            PROFILES,
            "other",
            external.ExternalServer("http://other:4200/api", "the Prefect profile 'other'"),
        ),
        (PROFILES, "bare", None),
        (PROFILES, "odd", None),
        (PROFILES, "missing", None),
        (
            PROFILES,
            "",
            external.ExternalServer("http://work:4200/api", "the Prefect profile 'work'"),
        ),
        ("active = [", None, None),
        ("active = 'work'", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_the_active_profile_is_read_as_prefect_reads_it(
    tmp_path, monkeypatch, text, profile, expected
):
    if profile is not None:
        monkeypatch.setenv("PREFECT_PROFILE", profile)
    if text is not None:
        (tmp_path / "profiles.toml").write_text(text)
    assert external.external_prefect() == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PREFECT_PROFILES_PATH", ".prefect/profiles.toml"),
        ("PREFECT_HOME", ".prefect"),
        ("HOME", ""),
    ],
)
def test_the_profiles_are_looked_for_where_prefect_keeps_them(
    tmp_path, monkeypatch, variable, value
):
    (tmp_path / ".prefect").mkdir()
    (tmp_path / ".prefect" / "profiles.toml").write_text(PROFILES)
    monkeypatch.delenv("PREFECT_PROFILES_PATH")
    monkeypatch.setenv(variable, str(tmp_path / value))
    assert external.external_prefect() == external.ExternalServer(
        "http://work:4200/api", "the Prefect profile 'work'"
    )


def test_the_environment_goes_before_the_profile(tmp_path, monkeypatch):
    (tmp_path / "profiles.toml").write_text(PROFILES)
    monkeypatch.setenv("PREFECT_API_URL", "http://mine/api")
    assert external.external_prefect() == external.ExternalServer(
        "http://mine/api", "PREFECT_API_URL"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        '{"pid": 12',
        '{"pid": "x", "created": 1, "host": "h", "nonce": "n", "port": 1}',
        '{"pid": 0, "created": 1, "host": "h", "nonce": "n", "port": 1}',
        '{"pid": Infinity, "created": 1, "host": "h", "nonce": "n", "port": 1}',
        '{"pid": 9, "created": 1, "host": "h", "nonce": "n", "port": 70000}',
        '{"pid": 9, "created": 1, "host": "h", "nonce": "", "port": 1}',
        "\udcff",
    ],
)
def test_a_damaged_record_is_no_record(tmp_path, text):
    path = tmp_path / "prefect.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert daemon.read_record(path) is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, True), ({"created": 1.0}, False), ({"host": "elsewhere"}, False), ({"port": 1}, False)],
)
def test_where_no_environment_can_be_read_start_host_and_command_line_decide(
    monkeypatch, change, expected
):
    def refuse(_):
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "environ", refuse)
    with subprocess.Popen(["/bin/sh", "-c", "read line", "4200"], stdin=subprocess.PIPE) as child:
        created = psutil.Process(child.pid).create_time()
        record = daemon.Record(child.pid, created, socket.gethostname(), "nonce", 4200)
        assert bool(daemon.find(dataclasses.replace(record, **change))) is expected


def test_a_zombie_is_dead():
    with subprocess.Popen(["/bin/sh", "-c", ""]) as child:
        process = psutil.Process(child.pid)
        while process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert not daemon.is_alive(process)


# What other processes are told.


def test_exports_are_read_back_by_a_shell(alone):
    servers = local.Servers(
        "http://127.0.0.1:1/api", "http://127.0.0.1:1", "sqlite:///it's mine.db", True, False
    )
    script = f'{local.exports(servers)}\nprintf "%s|%s|%s" "$AFTERFIT_HOME" "$PREFECT_HOME" "$MLFLOW_TRACKING_URI"'
    told = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert told == f"{alone}|{alone}/prefect|sqlite:///it's mine.db"
    assert f"export AFTERFIT_HOME={shlex.quote(str(alone))}" in local.exports(servers).splitlines()


def test_a_users_own_patience_is_kept_and_proxies_are_kept_out(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "99")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "example.com")
    told = local.environment(local.Servers("a", "b", "c", True, True))
    assert (told["MLFLOW_HTTP_REQUEST_TIMEOUT"], told["MLFLOW_HTTP_REQUEST_MAX_RETRIES"]) == (
        "99",
        "2",
    )
    assert told["NO_PROXY"] == told["no_proxy"] == "example.com,127.0.0.1"


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        ("ext4", True),
        ("overlay", True),
        ("tmpfs", True),
        ("nfs4", False),
        ("cifs", False),
        ("fuse.sshfs", False),
    ],
)
def test_a_home_on_a_network_file_system_is_refused(alone, monkeypatch, kind, allowed):
    monkeypatch.setattr(home, "_mounts", lambda: [("/", "ext4"), (str(alone.parent), kind)])
    if allowed:
        assert local.home() == alone
    else:
        with pytest.raises(
            RequestError, match=rf"network file system \({kind}\); set AFTERFIT_HOME"
        ):
            local.home()
        assert not alone.exists()


def test_a_home_that_cannot_be_made_is_refused(alone):
    alone.write_text("a file")
    with pytest.raises(RequestError, match="set AFTERFIT_HOME"):
        local.home()


def test_the_real_mounts_are_understood():
    assert "/" in dict(home._mounts())


def test_the_module_imports_none_of_the_heavy_libraries():
    heavy = {"prefect", "mlflow", "sklearn", "http.client"}
    code = f"import sys, deployments.servers.local; print({heavy!r} & set(sys.modules))"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert told == "set()\n"
