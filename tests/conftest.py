"""Fixtures: one home with real servers for the whole session, and small tables."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
import yaml

DASK = str(Path(sys.executable).with_name("dask"))
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pytest_configure():
    """Name the session's servers before Prefect is imported: it reads its settings once."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell runs us in its background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    home = Path(tempfile.mkdtemp(prefix="afterfit home ")).resolve()
    prefect, mlflow = _free_port(), _free_port()
    os.environ.update(
        AFTERFIT_HOME=str(home),
        AFTERFIT_PREFECT_PORT=str(prefect),
        AFTERFIT_MLFLOW_PORT=str(mlflow),
        PREFECT_API_URL=f"http://127.0.0.1:{prefect}/api",
        MLFLOW_TRACKING_URI=f"http://127.0.0.1:{mlflow}",
        PREFECT_HOME=str(home / "prefect"),
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL",
        DASK_LOGGING__DISTRIBUTED="critical",
        MLFLOW_DISABLE_TELEMETRY="true",
        MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true",
        DO_NOT_TRACK="1",
        PYTHONSAFEPATH="1",
        OMP_WAIT_POLICY="passive",  # spinning threads make a fit of 1 s last 60 s beside other work
    )


# What starts servers or worker processes: tests in these folders, those that ask for these
# fixtures, and those on a real S3 server.
STARTING_FOLDERS = ("benchmarks", "examples", "flows", "tasks/runner")
STARTING_FIXTURES = {"servers", "s3", "start_dask", "stubs", "real", "worker"}


def pytest_collection_modifyitems(items):
    """Mark what starts servers or worker processes."""
    here = Path(__file__).parent
    folders = [here / folder for folder in STARTING_FOLDERS]
    for item in items:
        is_in_folder = any(folder in item.path.parents for folder in folders)
        asked = {*getattr(item, "fixturenames", ()), *_parameters(item)}
        if is_in_folder or STARTING_FIXTURES & asked:
            item.add_marker("servers")


def _parameters(item):
    """Return the parameters of a test that are strings."""
    call = getattr(item, "callspec", None)
    values = call.params.values() if call else ()
    return {value for value in values if isinstance(value, str)}


def pytest_unconfigure():
    """Stop the session's servers, if a test started them.

    Prefect's last logs and events arrive before that.
    """
    import shutil
    import sys

    from deployments.servers import local

    if "prefect.flow_engine" in sys.modules:
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogWorker

        EventsWorker.drain_all(timeout=10)
        APILogWorker.drain_all(timeout=10)
    for name in ("PREFECT_API_URL", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)
    local.down()
    shutil.rmtree(os.environ["AFTERFIT_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def servers():
    """The session's real Prefect and MLflow servers."""
    from deployments.servers import local

    named = {name: os.environ.pop(name) for name in ("PREFECT_API_URL", "MLFLOW_TRACKING_URI")}
    started = local.up()
    os.environ.update(named)
    assert (started.prefect_api_url, started.mlflow_url) == tuple(named.values())
    return started


@pytest.fixture(scope="session")
def bike():
    """The folder of the bike sharing data, which is not part of the project."""
    import zipfile

    archive = SHARED / "bike_sharing_dataset.zip"
    if not archive.exists():
        pytest.skip("the bike sharing data (UCI 275) is not beside this checkout")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
        yield Path(folder)


@pytest.fixture(scope="session")
def s3():
    """A bucket on an S3 server that runs in a process of its own.

    The server's address and keys are in the environment.
    """
    import fsspec

    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    named = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in named}
    os.environ.update(named)
    try:
        _wait(named["AWS_ENDPOINT_URL"])
        fsspec.filesystem("s3").mkdir("scores-bucket")
        yield "s3://scores-bucket"
    finally:
        server.kill()
        server.wait()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def _wait(url):
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=1).read()  # noqa: S310 - a server of ours on loopback
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"no S3 server at {url}")


@pytest.fixture
def sales(tmp_path):
    """A spec and its table, as CSV, in `tmp_path`.

    The table has 400 rows of numbers, strings, booleans, dates and gaps.
    """
    chance = np.random.default_rng(7)
    rows = 400
    size = chance.normal(size=rows).round(3)
    region = np.array(["north", "south", "west", None], dtype=object)[chance.integers(0, 4, rows)]
    open_ = chance.random(rows) > 0.5
    days = np.datetime64("2024-01-01") + np.arange(rows)
    amount = (10 * size + 5 * (region == "north") + 3 * open_ + chance.normal(size=rows)).round(3)
    gaps = pa.array([None if chance.random() < 0.1 else float(value) for value in size])
    table = pa.table(
        {
            "id": [f"{n:04d}" for n in range(rows)],
            "day": days,
            "size": gaps,
            "region": region,
            "open": open_,
            "amount": amount,
        }
    )
    pa.csv.write_csv(table, tmp_path / "sales.csv")
    spec = {
        "name": f"sales-{tmp_path.name[-20:].strip('-_').replace('_', '-')}",
        "problem": "regression",
        "data": {"source": "sales.csv", "target": "amount", "id": "id", "segment": "region"},
        "candidates": [
            {
                "estimator": "sklearn.ensemble.HistGradientBoostingRegressor",
                "params": {"max_iter": 30},
            },
            {"estimator": "sklearn.linear_model.Ridge"},
        ],
        "scoring": {"output": "scores"},
    }
    path = tmp_path / "sales.yaml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def no_heartbeats():
    """Spare each flow run the second for which it waits for the thread of its heartbeats."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


@pytest.fixture(scope="session")
def free_port():
    def find():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return str(probe.getsockname()[1])

    return find


@pytest.fixture(scope="module")
def start_dask(tmp_path_factory):
    """Start `dask scheduler` or `dask worker` on loopback, as somebody else does."""
    folder = tmp_path_factory.mktemp("dask")
    started = []

    def start(what, *arguments, **variables):
        own = (
            ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
            if what == "worker"
            else []
        )
        command = [DASK, what, *arguments, "--host", "127.0.0.1", "--no-dashboard", *own]
        process = subprocess.Popen(
            command,
            env={**os.environ, **variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
