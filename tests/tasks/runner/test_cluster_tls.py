"""A cluster that speaks TLS: what fits works, and what does not fit has its sentence."""

import contextlib
import re
import shutil
import subprocess
from pathlib import Path

import dask
import pytest
from distributed import Client
from prefect import task

from tasks.core.errors import RequestError
from tasks.runner import cluster
from tasks.runner.cluster_checks import Reach
from tasks.runner.make import make_runner

HANGS = 60  # seconds; time itself is never asserted
HOUSE = Path(cluster.__file__).resolve().parents[2]
CERTIFICATES = HOUSE / "deployments" / "dask" / "make-certificates.sh"


@task
def double(number):
    return 2 * number


@task
def quadruple(number):
    return double.submit(double(number)).result()


def make_certificates(folder):
    """Make certificates for this host; return the variables to export."""
    if not shutil.which("openssl"):
        pytest.skip("needs the Debian package openssl")
    command = ["sh", CERTIFICATES, folder, "127.0.0.1", "localhost"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    exported = re.findall(r"^export (\w+)='(.*)'$", done.stdout, re.MULTILINE)
    return dict(exported)


def used(variables):
    """Let Dask use these certificates, as if they had been exported before it was imported."""
    settings = {}
    for name, value in variables.items():
        setting = name.removeprefix("DASK_").replace("__", ".").lower()
        settings[setting] = value
    return dask.config.set(settings)


def connect(address):
    """Connect, check the cluster, and go."""
    cluster.connect(address, Reach()).close()


@contextlib.contextmanager
def refused(told, variables=()):
    """Hold that a request is refused in these words, with these certificates if any."""
    with used(dict(variables)), pytest.raises(RequestError, match=told):
        yield


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def plain(servers, start_dask, free_port):
    """The address of a scheduler that does not speak TLS."""
    port = free_port()
    start_dask("scheduler", "--port", port)
    return f"tcp://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def encrypted(servers, start_dask, free_port, ours):
    """The address of a scheduler with one worker that speak TLS."""
    port = free_port()
    start_dask("scheduler", "--port", port, "--protocol", "tls", **ours)
    start_dask("worker", f"tls://127.0.0.1:{port}", **ours)
    return f"tls://127.0.0.1:{port}"


def test_tasks_and_tasks_of_tasks_run_over_tls(encrypted, ours, play):
    def body():
        return quadruple.map([1, 2]).result()

    with used(ours):
        assert play(make_runner(cluster=encrypted), body).result() == [4, 8]


def test_certificates_of_another_ca_are_refused(encrypted, tmp_path):
    theirs = make_certificates(tmp_path)
    with refused(r"do not fit .*must be of one CA", theirs):
        connect(encrypted)


def test_an_encrypted_cluster_needs_certificates(encrypted):
    told = r"needs certificates: set DASK_.*CA_FILE and DASK_.*CLIENT__CERT \(docs/"
    with refused(told):
        connect(encrypted)


def test_a_certificate_that_cannot_be_read_is_named(encrypted, ours):
    lost = {name: path.replace("cluster.key", "lost.key") for name, path in ours.items()}
    with refused(r"CLIENT__KEY names .*lost\.key, which cannot be read", lost):
        connect(encrypted)


def test_a_scheduler_that_speaks_the_other_protocol_is_named(encrypted, plain, ours):
    with refused(r"^tcp://127.* hangs up: .*write tls://"):
        connect(encrypted.replace("tls:", "tcp:"))
    with refused(r"tls://127.* do not fit .*started with TLS", ours):
        connect(plain.replace("tcp:", "tls:"))


def test_settings_that_require_encryption_are_named(plain):
    with (
        dask.config.set({"distributed.comm.require-encryption": True}),
        refused(r"^tcp://127.* is not encrypted, and Dask's settings require it: write tls://"),
    ):
        connect(plain)


def test_a_worker_of_another_ca_is_not_let_in(encrypted, start_dask, ours, tmp_path):
    theirs = make_certificates(tmp_path)
    stranger = start_dask("worker", encrypted, "--death-timeout", "3", **theirs)
    assert stranger.wait(timeout=HANGS) != 0
    with used(ours), Client(encrypted, set_as_default=False) as client:
        assert len(client.scheduler_info()["workers"]) == 1
