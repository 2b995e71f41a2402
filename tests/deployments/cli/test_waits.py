"""SIGTERM and SIGINT end a command within 30 s, whatever it waits for."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

AFTERFIT = str(Path(sys.executable).with_name("afterfit"))
pytestmark = pytest.mark.slow
HANGS = 60


@contextmanager
def hanging_server():
    """Answer `/health`, and nothing else; yield the address, and when it was asked."""
    asked, over = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.endswith("/health"):
                self.send_response(200)
                self.end_headers()
                return
            asked.set()
            over.wait(HANGS)

        do_POST = do_PUT = do_HEAD = do_PATCH = do_GET  # noqa: N815 - the same

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        over.set()
        server.shutdown()


@contextmanager
def hanging_mlflow(_folder):
    with hanging_server() as (url, asked):
        yield ["score", "cli-sales/1", "sales.csv", "out"], {"MLFLOW_TRACKING_URI": url}, asked


@contextmanager
def hanging_prefect(_folder):
    with hanging_server() as (url, asked):
        variables = {"PREFECT_API_URL": f"{url}/api"}
        yield ["score", "cli-sales/1", "sales.csv", "out"], variables, asked


@contextmanager
def hanging_store(_folder):
    with hanging_server() as (url, asked):
        variables = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        yield ["score", "cli-sales/1", "s3://bucket/in.parquet", "out"], variables, asked


@contextmanager
def hanging_scheduler(folder):
    """Take connections, and say nothing."""
    asked = threading.Event()
    table = pa.table({"id": range(300_000), "size": [1.0] * 300_000, "region": ["a"] * 300_000})
    pq.write_table(table, folder / "large.parquet")

    def accept(listener):
        connection, _ = listener.accept()
        asked.set()
        time.sleep(HANGS)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        yield ["score", "cli-sales/1", "large.parquet", "out", "--cluster", address], {}, asked


@contextmanager
def held_lock(folder):
    """Hold the lock of the output, as another run does."""
    asked = threading.Event()
    with (folder / ".out.afterfit-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(15, asked.set).start()
        yield ["score", "cli-sales/1", "sales.csv", "out"], {}, asked


@contextmanager
def held_locks_of_windows(folder):
    asked = threading.Event()
    (folder / "w").mkdir()
    days = [f"2026-01-0{day}" for day in (1, 2, 3)]
    with (folder / "w" / f".{days[0]}.afterfit-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(15, asked.set).start()
        options = ["scoring.window=1d", "scoring.output=w/{window:%Y-%m-%d}"]
        settings = [part for option in options for part in ("--set", option)]
        yield ["backfill", "sales.yaml", "--from", days[0], "--to", days[2], *settings], {}, asked


@contextmanager
def held_home(folder):
    """Hold the lock under which servers start and stop."""
    asked = threading.Event()
    home = folder / "home"
    (home / "servers").mkdir(parents=True)
    with (home / "servers" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(5, asked.set).start()
        yield ["up"], {"AFTERFIT_HOME": str(home)}, asked


WAITS = [
    hanging_mlflow,
    hanging_prefect,
    hanging_store,
    hanging_scheduler,
    held_lock,
    held_locks_of_windows,
    held_home,
]


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_waits_is_out_soon_after_a_signal(
    trained, write_sales, tmp_path, wait, number
):
    """It says one sentence, with status 130, leaves no process, and no output."""
    write_sales(tmp_path)
    with wait(tmp_path) as (arguments, variables, asked):
        process = subprocess.Popen(
            [AFTERFIT, *arguments],
            cwd=tmp_path,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert asked.wait(HANGS)
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(number)
            said, complained = process.communicate(timeout=30)
        finally:
            process.kill()

    assert process.returncode == 130, complained
    assert said == ""
    word = {signal.SIGINT: "Interrupted", signal.SIGTERM: "Terminated"}[number]
    assert complained == f"afterfit: {word}: run the same command again.\n"
    assert psutil.wait_procs(children, timeout=30)[1] == []
    assert not (tmp_path / "out").exists()
