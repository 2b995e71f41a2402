"""A cluster that somebody else has started is checked before work starts.

Each mistake has its sentence.
"""

import contextlib
import os
import shutil
import time
from pathlib import Path

import pytest
from distributed import Client
from prefect import task

from tasks.core.errors import AfterfitError, RequestError
from tasks.runner import cluster, cluster_checks
from tasks.runner.cluster_checks import Reach
from tasks.runner.make import make_runner

HANGS = 60  # seconds; time itself is never asserted
HOUSE = Path(cluster.__file__).resolve().parents[2]
PYTHON = {"python": "3.11.2.final.0"}
VERSIONS = dict.fromkeys(cluster_checks.PACKAGES_THAT_MUST_MATCH, "1.0") | PYTHON
LATER_PYTHON = VERSIONS | {"python": "3.11.9.final.0"}
NEXT_PYTHON = VERSIONS | {"python": "3.12.1.final.0"}
OTHER_PACKAGES = VERSIONS | {"numpy": "2.0", "dask": None}
NO_PACKAGE = VERSIONS | {"afterfit": None}
SERVERS = ("PREFECT_API_URL", "MLFLOW_TRACKING_URI")


@pytest.fixture(scope="module")
def address(servers, start_dask, free_port):
    """The address of a scheduler with one worker."""
    port = free_port()
    start_dask("scheduler", "--port", port)
    start_dask("worker", f"tcp://127.0.0.1:{port}")
    return f"tcp://127.0.0.1:{port}"


@task
def double(number):
    return 2 * number


@contextlib.contextmanager
def another_worker(start_dask, address, **variables):
    """Let a second worker join, until the end."""
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=HANGS)
        process = start_dask("worker", address, **variables)
        client.wait_for_workers(2, timeout=HANGS)
        yield client
        process.kill()
        deadline = time.monotonic() + HANGS
        while len(client.scheduler_info()["workers"]) > 1 and time.monotonic() < deadline:
            time.sleep(0.05)


def connect(address):
    """Connect, check the cluster, and go."""
    cluster.connect(address, Reach()).close()


@pytest.mark.parametrize("theirs", [VERSIONS, LATER_PYTHON, VERSIONS | {"msgpack": "0"}])
def test_versions_that_need_not_match_may_differ(theirs):
    cluster_checks.check_versions("The worker w", VERSIONS, theirs)


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        (NEXT_PYTHON, r"The worker w has python 3\.12 \(here 3\.11\): install the same"),
        (OTHER_PACKAGES, r"has dask missing \(here 1\.0\), numpy 2\.0 \(here 1\.0\)"),
        (NO_PACKAGE, r"The worker w has no afterfit: install requirements\.lock"),
    ],
)
def test_versions_that_differ_are_named(theirs, told):
    with pytest.raises(RequestError, match=told):
        cluster_checks.check_versions("The worker w", VERSIONS, theirs)


def test_a_cluster_that_can_do_the_work_is_told_the_servers(address, start_dask, tmp_path):
    """Its workers know Prefect and MLflow, also one that comes when the flow runs already."""
    table = tmp_path / "table.csv"
    table.write_text("a\n1\n")
    unknown = dict.fromkeys(SERVERS, "")
    with make_runner(cluster=address, reads=[str(table)], writes=str(tmp_path)) as runner:
        assert runner.client.status == "running"
        assert list(tmp_path.iterdir()) == [table]
        with another_worker(start_dask, address, **unknown) as client:
            for name in SERVERS:
                found = client.run(os.getenv, name)
                assert set(found.values()) == {os.environ[name]}


def test_a_flow_leaves_nothing_on_a_cluster(address, play, eventually):
    """A worker that has no afterfit can join it later."""

    def is_clean(dask_scheduler):
        plugins = [*dask_scheduler.worker_plugins, *dask_scheduler.plugins]
        return not [name for name in plugins if "afterfit" in name]

    def body():
        return double.submit(1).result()

    assert play(make_runner(cluster=address), body).result() == 2
    with Client(address, set_as_default=False) as client:
        assert eventually(lambda: client.run_on_scheduler(is_clean))


def test_a_worker_with_other_code_of_the_package_is_refused(address, start_dask, tmp_path):
    no_bytecode = shutil.ignore_patterns("__pycache__")
    for folder in ("flows", "tasks"):
        shutil.copytree(HOUSE / folder, tmp_path / folder, ignore=no_bytecode)
    with (tmp_path / "tasks" / "score.py").open("a") as edited:
        edited.write("# edited\n")

    told = r"^The worker tcp://127\.0\.0\.1:\d+ has other code of afterfit than this side"
    with (
        another_worker(start_dask, address, PYTHONPATH=str(tmp_path)),
        pytest.raises(RequestError, match=told),
    ):
        connect(address)


def test_a_worker_that_cannot_import_the_package_is_refused(address, start_dask, tmp_path):
    """Somebody else's package of the same name comes first there."""
    (tmp_path / "flows.py").write_text("")
    with (
        another_worker(start_dask, address, PYTHONPATH=str(tmp_path)),
        pytest.raises(RequestError, match="cannot import afterfit's `flows` and `tasks`"),
    ):
        connect(address)


def test_a_scheduler_that_is_not_there_is_named():
    words = r"^The Dask scheduler at tcp://127\.0\.0\.1:9 cannot be reached: "
    with pytest.raises(AfterfitError, match=words):
        cluster.connect("tcp://127.0.0.1:9", Reach(), timeout="1s")


def test_a_scheduler_without_workers_is_waited_for_and_named(start_dask, free_port):
    port = free_port()
    start_dask("scheduler", "--port", port)
    words = rf"scheduler at tcp://127\.0\.0\.1:{port} has had no worker for 1 s"
    with pytest.raises(AfterfitError, match=words):
        cluster.connect(f"tcp://127.0.0.1:{port}", Reach(), worker_seconds=1.0)
