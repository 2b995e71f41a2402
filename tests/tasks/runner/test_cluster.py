"""A cluster that somebody else has started: it is looked over before work starts, and each mistake
has its sentence.
"""

import contextlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import dask
import pytest
from distributed import Client
from prefect import flow, task

from tasks.core.errors import AfterfitError, RequestError
from tasks.runner import cluster, cluster_checks
from tasks.runner.cluster_checks import Reach
from tasks.runner.make import make_runner

HANGS = 60  # seconds; time itself is never asserted
HOUSE = Path(cluster.__file__).resolve().parents[2]
CERTIFICATES = HOUSE / "deployments" / "dask" / "make-certificates.sh"
VERSIONS = dict.fromkeys(cluster_checks.PACKAGES_THAT_MUST_MATCH, "1.0") | {
    "python": "3.11.2.final.0"
}


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


@task
def quadruple(number):
    return double.submit(double(number)).result()


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


def connect(address, **reach):
    """Connect, look the cluster over, and go."""
    cluster.connect(address, Reach(**reach)).close()


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        (VERSIONS, None),
        (VERSIONS | {"python": "3.11.9.final.0"}, None),
        (
            VERSIONS | {"python": "3.12.1.final.0"},
            r"The worker w has python 3\.12 \(here 3\.11\): install the same",
        ),
        (
            VERSIONS | {"numpy": "2.0", "dask": None},
            r"has dask missing \(here 1\.0\), numpy 2\.0 \(here 1\.0\)",
        ),
        (
            VERSIONS | {"afterfit": None},
            r"The worker w has no afterfit: install requirements\.lock",
        ),
        (VERSIONS | {"msgpack": "0"}, None),
    ],
)
def test_versions_that_differ_are_named(theirs, told):
    with contextlib.nullcontext() if told is None else pytest.raises(RequestError, match=told):
        cluster_checks.check_versions("The worker w", VERSIONS, theirs)


def test_a_cluster_that_can_do_the_work_is_told_the_servers_now_and_later(
    address, start_dask, tmp_path
):
    """Its workers know where Prefect and MLflow are, also one that comes when the flow runs
    already.
    """
    table = tmp_path / "table.csv"
    table.write_text("a\n1\n")
    with make_runner(cluster=address, reads=[str(table)], writes=str(tmp_path)) as runner:
        assert runner.client.status == "running"
        assert list(tmp_path.iterdir()) == [table]
        with another_worker(
            start_dask, address, PREFECT_API_URL="", MLFLOW_TRACKING_URI=""
        ) as client:
            for name in ("PREFECT_API_URL", "MLFLOW_TRACKING_URI"):
                assert set(client.run(os.getenv, name).values()) == {os.environ[name]}


def test_a_flow_leaves_nothing_on_a_cluster(address):
    """A worker that has no afterfit can join it later."""

    def left(dask_scheduler):
        return [
            name
            for name in [*dask_scheduler.worker_plugins, *dask_scheduler.plugins]
            if "afterfit" in name
        ]

    assert flow(task_runner=make_runner(cluster=address))(lambda: double.submit(1).result())() == 2
    deadline = time.monotonic() + HANGS
    with Client(address, set_as_default=False) as client:
        while (found := client.run_on_scheduler(left)) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert found == []


def test_a_worker_with_other_code_of_the_package_is_refused(address, start_dask, tmp_path):
    for folder in ("flows", "tasks"):
        shutil.copytree(
            HOUSE / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    with (tmp_path / "tasks" / "score.py").open("a") as edited:
        edited.write("# edited\n")
    with (
        another_worker(start_dask, address, PYTHONPATH=str(tmp_path)),
        pytest.raises(RequestError) as refused,
    ):
        connect(address)
    assert re.match(
        r"The worker tcp://127\.0\.0\.1:\d+ has other code of afterfit than this side",
        str(refused.value),
    )


def test_a_worker_that_cannot_import_the_package_is_refused(address, start_dask, tmp_path):
    """Somebody else's package of the same name comes first there."""
    (tmp_path / "flows.py").write_text("")
    with (
        another_worker(start_dask, address, PYTHONPATH=str(tmp_path)),
        pytest.raises(RequestError) as refused,
    ):
        connect(address)
    assert "cannot import afterfit's `flows` and `tasks`" in str(refused.value)


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


# TLS


def certificates(folder):
    """Make certificates for this host; give the variables to export."""
    if not shutil.which("openssl"):
        pytest.skip("needs the Debian package openssl")
    command = ["sh", CERTIFICATES, folder, "127.0.0.1", "localhost"]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(re.findall(r"^export (\w+)='(.*)'$", made, re.MULTILINE))


@contextlib.contextmanager
def used(variables):
    """Let Dask use these certificates, as it would had they been exported before it was
    imported.
    """
    with dask.config.set(
        {
            name.removeprefix("DASK_").replace("__", ".").lower(): of
            for name, of in variables.items()
        }
    ):
        yield


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def encrypted(servers, start_dask, free_port, ours):
    """The address of a scheduler with one worker that speak TLS."""
    port = free_port()
    start_dask("scheduler", "--port", port, "--protocol", "tls", **ours)
    start_dask("worker", f"tls://127.0.0.1:{port}", **ours)
    return f"tls://127.0.0.1:{port}"


def test_tasks_and_tasks_of_tasks_run_over_tls(encrypted, ours):
    with used(ours):
        assert flow(task_runner=make_runner(cluster=encrypted))(
            lambda: quadruple.map([1, 2]).result()
        )() == [4, 8]


def test_certificates_that_do_not_fit_are_refused(encrypted, ours, tmp_path):
    """Those of another CA, none at all, a file that is not there."""
    with (
        used(certificates(tmp_path)),
        pytest.raises(RequestError, match=r"do not fit .*must be of one CA"),
    ):
        connect(encrypted)
    with pytest.raises(
        RequestError,
        match=r"needs certificates: set DASK_.*CA_FILE and DASK_.*CLIENT__CERT \(docs/",
    ):
        connect(encrypted)
    lost = {name: value.replace("cluster.key", "lost.key") for name, value in ours.items()}
    with (
        used(lost),
        pytest.raises(RequestError, match=r"CLIENT__KEY names .*lost\.key, which cannot be read"),
    ):
        connect(encrypted)


def test_a_scheduler_that_speaks_the_other_protocol_is_named(encrypted, address, ours):
    with pytest.raises(RequestError, match=r"^tcp://127.* hangs up: .*write tls://"):
        connect(encrypted.replace("tls:", "tcp:"))
    with (
        used(ours),
        pytest.raises(RequestError, match=r"tls://127.* do not fit .*started with TLS"),
    ):
        connect(address.replace("tcp:", "tls:"))


def test_a_worker_of_another_ca_is_not_let_in(encrypted, start_dask, ours, tmp_path):
    stranger = start_dask("worker", encrypted, "--death-timeout", "3", **certificates(tmp_path))
    assert stranger.wait(timeout=HANGS) != 0
    with used(ours), Client(encrypted, set_as_default=False) as client:
        assert len(client.scheduler_info()["workers"]) == 1
