"""Fixtures: a home of its own, cheap servers for it, and servers of somebody else's."""

import contextlib
import http.server
import os
import random
import threading

import psutil
import pytest

from deployments.servers import daemon, embedded
from deployments.servers.home import home
from deployments.servers.kinds import ServerKind
from deployments.servers.ports import is_free

NAMED = ("PREFECT_", "MLFLOW_", "AFTERFIT_", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """A home of its own, and nothing external."""
    for name in list(os.environ):
        if name.startswith(NAMED):
            monkeypatch.delenv(name)

    folder = tmp_path / "a home"
    monkeypatch.setenv("AFTERFIT_HOME", str(folder))
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "profiles.toml"))
    return folder


@pytest.fixture(scope="session")
def low_port():
    """Find a free port below those that systems hand out by themselves."""

    def find():
        ports = random.sample(range(20_000, 30_000), 100)
        return next(port for port in ports if is_free(port))

    return find


@pytest.fixture(scope="session")
def processes():
    """Find every process of a home's servers, without the records."""

    def find(folder):
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                environ = process.environ()
                is_ours = environ.get("AFTERFIT_HOME") == str(folder) and daemon.NONCE in environ
                if is_ours and daemon.is_alive(process):
                    found.append(process)

        return found

    return find


@pytest.fixture
def serve():
    """Serve HTTP on a thread, as somebody else does; gives the port and what was asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            authorization = self.headers.get("Authorization")
            self.server.asked.append((self.path, authorization))

            status = 200 if self.path in self.server.known else 404
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    @contextlib.contextmanager
    def run(port=0, known=("/health", "/api/health")):
        with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
            server.asked = []
            server.known = known
            thread = threading.Thread(target=server.serve_forever, args=[0.01])
            thread.start()
            try:
                yield server.server_port, server.asked
            finally:
                server.shutdown()
                thread.join()

    return run


@pytest.fixture
def stubs(alone, low_port):
    """Two kinds of servers that start in no time: they serve the home, with its file `health`."""
    folder = home()
    (folder / "health").touch()

    arguments = "http.server --bind {host} {port}"
    one = ServerKind("one", "One", low_port(), "", arguments, {}, "ONE_LOGIN")
    two = ServerKind("two", "Two", low_port(), "", arguments, {}, "TWO_LOGIN")
    with embedded.lock(folder):
        yield one, two

    embedded.stop([one, two], folder)
