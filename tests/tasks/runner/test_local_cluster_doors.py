"""Who can speak to a cluster of a runner's own: its processes alone, and the flow."""

import asyncio
import http.client
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from distributed import Client
from distributed.comm import connect
from distributed.security import Security
from prefect import task

from tasks.core.storage.home import home_folder
from tasks.runner import dask_inside, local_cluster
from tasks.runner.make import make_runner

HANGS = 60  # seconds; time itself is never asserted
PATHS = ["/", "/health", "/metrics", "/status", "/info/main/workers.html", "/json/counts.json"]

STRANGER = """
import sys
from distributed import Client
for address in sys.argv[1:]:
    try:
        Client(address, timeout="1s")
    except Exception:
        print("refused", flush=True)
"""


@pytest.fixture(scope="module")
def temporary(tmp_path_factory):
    """The folder for temporary files of all processes."""
    import tempfile

    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        yield folder


@pytest.fixture(scope="module")
def others():
    """Where this process and its children listen for other tests."""
    return set(listening(family()))


@pytest.fixture(scope="module")
def own(temporary, others):
    """A cluster of one worker process, and its client."""
    with (
        local_cluster.start(local_cluster.on_processes(1, library_threads=1)) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        client.wait_for_workers(1, timeout=HANGS)
        yield cluster, client


def family():
    """Return this process and its children."""
    me = psutil.Process()
    return [me, *me.children(recursive=True)]


def listening(processes):
    """Return where processes listen."""
    links = [link for process in processes for link in process.net_connections("tcp")]
    return [link.laddr for link in links if link.status == psutil.CONN_LISTEN]


def ask(port, method, path):
    """Return the status of an answer over HTTP, or what the server did instead of answering."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)
    try:
        client.request(method, path, b"{}" if method == "POST" else None)
        return client.getresponse().status
    except (OSError, http.client.HTTPException):
        return "hung up"
    finally:
        client.close()


def test_a_plain_client_is_not_let_in(own):
    """As any user of the machine could start one."""
    cluster, client = own
    address = cluster.scheduler_address
    command = [sys.executable, "-c", STRANGER, address, address.replace("tls:", "tcp:")]
    stranger = subprocess.run(command, capture_output=True, text=True, timeout=HANGS, check=False)
    assert stranger.stdout.splitlines() == ["refused", "refused"]
    assert set(cluster.scheduler.clients) == {client.id, dask_inside.KEEPER}


@pytest.mark.parametrize("which", ["scheduler", "nanny", "worker"])
def test_no_process_speaks_to_a_stranger(own, which):
    cluster, _ = own
    (nanny,) = cluster.workers.values()
    addresses = {
        "scheduler": cluster.scheduler_address,
        "nanny": nanny.address,
        "worker": nanny.worker_address,
    }

    async def speak():
        given = Security.temporary().get_connection_args("client")
        await connect(addresses[which], timeout=2, **given)

    assert addresses[which].startswith("tls://127.0.0.1:")
    with pytest.raises(OSError, match=r"Timed out|closed|reset|alert|certificate|in 2 s"):
        asyncio.run(speak())


def test_a_certificate_is_told_to_nobody_else(own, temporary):
    cluster, _ = own
    key = cluster.security.tls_worker_key
    assert "PRIVATE KEY" in key
    for process in family():
        told = " ".join([*process.cmdline(), *process.environ().values()])
        assert "PRIVATE KEY" not in told
        assert key[100:140] not in told

    for path in temporary.rglob("*"):
        assert not path.is_file() or "PRIVATE KEY" not in path.read_text(errors="replace")


@pytest.mark.usefixtures("own")
def test_what_listens_is_on_loopback_and_has_no_pages(others):
    addresses = set(listening(family())) - others
    assert addresses
    assert {address.ip for address in addresses} == {"127.0.0.1"}
    for address in addresses:
        answers = {ask(address.port, "GET", path) for path in PATHS}
        answers.add(ask(address.port, "POST", "/api/v1/retire_workers"))
        assert answers <= {404, "hung up"}


def test_scratch_space_is_in_the_home(own, temporary):
    """Dask lets Python import modules from there, also in the process of the flow."""
    _, client = own
    scratch = home_folder() / "scratch" / "dask-scratch-space"
    (folder,) = client.run(lambda dask_worker: dask_worker.local_directory).values()
    assert Path(folder).parent == scratch

    with local_cluster.start(local_cluster.on_threads(1)) as on_threads:
        (worker,) = on_threads.workers.values()
        assert Path(worker.local_directory).parent == scratch
    assert [path.name for path in temporary.iterdir() if "dask" in path.name] == []


def test_workers_on_threads_have_no_pages_either():
    before = set(listening([psutil.Process()]))
    with local_cluster.start(local_cluster.on_threads(1)):
        added = set(listening([psutil.Process()])) - before
        assert {address.ip for address in added} == {"127.0.0.1"}
        for address in added:
            assert {ask(address.port, "GET", path) for path in PATHS} == {404}


@task
def double(number):
    return 2 * number


@task
def quadruple(number):
    return double.submit(double(number)).result(), os.getpid()


def test_tasks_submit_tasks_with_the_certificate_of_their_worker(servers, play):
    def body():
        return quadruple.submit(2).result()

    found, pid = play(make_runner(workers=1), body).result()
    assert found == 8
    assert pid != os.getpid()
    assert dask_inside.security_around() is None
