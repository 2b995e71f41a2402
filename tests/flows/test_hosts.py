"""Real clusters: the scheduler and workers on two hosts, the flow on a third, all over TLS.

The flow's servers are on its host. Each host is a network namespace with an address of its own;
the hosts share a bridge, and the disk.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not shutil.which("ip"), reason="needs the Debian package iproute2"),
    pytest.mark.skipif(not shutil.which("openssl"), reason="needs the Debian package openssl"),
]
HANGS = 240  # seconds; time itself is never asserted
BIN = Path(sys.executable).parent
CERTIFICATES = Path(__file__).resolve().parents[2] / "deployments" / "dask" / "make-certificates.sh"
HOSTS = {"flow": "10.77.0.1", "one": "10.77.0.2", "two": "10.77.0.3"}
SCHEDULER = f"tls://{HOSTS['one']}:8786"
PREFECT, MLFLOW = f"http://{HOSTS['flow']}:4200/api", f"http://{HOSTS['flow']}:5500"


def ip(*arguments):
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


def certificates(folder):
    """Make certificates for all hosts; return what to export."""
    made = subprocess.run(
        ["sh", CERTIFICATES, folder, *HOSTS.values()], check=True, capture_output=True, text=True
    )
    return dict(re.findall(r"^export (\w+)='(.*)'$", made.stdout, re.MULTILINE))


@dataclass
class Hosts:
    """Hosts on which commands run, with the variables that all of them get."""

    folder: Path
    environment: dict[str, str]
    prefix: str = f"afterfit-{os.getpid()}-"
    processes: list[subprocess.Popen] = field(default_factory=list)

    def __enter__(self):
        for number, (name, address) in enumerate(HOSTS.items()):
            host = self.prefix + name
            ip("netns", "add", host)
            ip("-n", host, "link", "set", "lo", "up")
            if not number:
                ip("-n", host, "link", "add", "net", "type", "bridge")
            else:
                ip("-n", host, "link", "add", "net", "type", "veth", "peer", "name", name)
                ip("-n", host, "link", "set", name, "netns", f"{self.prefix}flow")
                ip("-n", f"{self.prefix}flow", "link", "set", name, "master", "net", "up")
            ip("-n", host, "address", "add", f"{address}/24", "dev", "net")
            ip("-n", host, "link", "set", "net", "up")
        return self

    def __exit__(self, *error):
        for name in HOSTS:
            for left in ip("netns", "pids", self.prefix + name).split():  # servers start others
                os.kill(int(left), signal.SIGKILL)
            ip("netns", "delete", self.prefix + name)
        for process in self.processes:
            process.communicate()

    def link(self, host, up):
        """Cut a host off, or connect it again."""
        ip("-n", self.prefix + host, "link", "set", "net", "up" if up else "down")

    def start(self, host, command, *arguments, before=(), **variables):
        """Start a command of the environment we run in on a host."""
        everything = {**self.environment, **variables}
        log = self.folder / f"{len(self.processes)}-{command}.log"
        is_afterfit = command == "afterfit"
        on_host = ["ip", "netns", "exec", self.prefix + host]
        with log.open("w") as output:
            process = subprocess.Popen(
                [*on_host, *before, BIN / command, *map(str, arguments)],
                env={name: value for name, value in everything.items() if value is not None},
                stdout=subprocess.PIPE if is_afterfit else output,
                stderr=subprocess.PIPE if is_afterfit else subprocess.STDOUT,
                text=True,
            )
        self.processes.append(process)
        return process

    def afterfit(self, *arguments, **variables):
        """Run afterfit on the host of the flow.

        Return its exit status, its JSON output, and what it complained of.
        """
        process = self.start("flow", "afterfit", *arguments, "--json", **variables)
        said, complained = process.communicate(timeout=HANGS)
        return process.returncode, json.loads(said or "null"), complained

    def worker(self, host, **variables):
        """Start a worker on a host."""
        return self.start(
            host,
            "dask",
            "worker",
            SCHEDULER,
            f"--host={HOSTS[host]}",
            "--nworkers=1",
            "--nthreads=1",
            "--no-dashboard",
            f"--local-directory={self.folder}/dask-{host}",
            **variables,
        )


def answers(hosts, url):
    """Wait until a server answers on the host of the flow."""
    command = f"import urllib.request as r; r.urlopen({url!r}, timeout=2).read()"
    deadline = time.monotonic() + HANGS
    while hosts.start("flow", "python", "-c", command).wait() and time.monotonic() < deadline:
        time.sleep(0.5)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    """Three hosts: for the servers, for the scheduler and a worker, and for a worker alone."""
    folder = tmp_path_factory.mktemp("hosts")
    environment = {
        **os.environ,
        **certificates(folder / "tls"),
        "AFTERFIT_HOME": str(folder / "home"),
    }
    environment |= {"PREFECT_HOME": str(folder / "prefect"), "DASK_LOGGING__DISTRIBUTED": "info"}
    environment |= {"PREFECT_API_URL": None, "MLFLOW_TRACKING_URI": None}  # the workers are told
    with Hosts(folder, environment) as started:
        started.start(
            "flow",
            "mlflow",
            "server",
            f"--host={HOSTS['flow']}",
            "--port=5500",
            "--workers=1",
            f"--backend-store-uri=sqlite:///{folder}/mlflow.db",
            f"--artifacts-destination={folder}/models",
        )
        started.start("flow", "prefect", "server", "start", "--host", HOSTS["flow"], "--port", 4200)
        started.start(
            "one",
            "dask",
            "scheduler",
            "--protocol=tls",
            f"--host={HOSTS['one']}",
            "--port=8786",
            "--no-dashboard",
        )
        for host in ("one", "two"):
            started.worker(host)
        answers(started, f"{PREFECT}/health")
        answers(started, f"{MLFLOW}/health")
        started.environment |= {"PREFECT_API_URL": PREFECT, "MLFLOW_TRACKING_URI": MLFLOW}
        yield started


@pytest.fixture(scope="module")
def model(hosts, make_training, tmp_path_factory, make_source):
    """The JSON output of the lifecycle that made a slow model on the cluster, with its name."""
    folder = tmp_path_factory.mktemp("spec")
    path = make_training(folder, "far", "sklearn.svm.SVR", epsilon=0.15)
    spec = yaml.safe_load(path.read_text()) | {
        "scoring": {"source": str(make_source(2).path), "output": "scores"}
    }
    path.write_text(yaml.safe_dump(spec))
    status, answer, complained = hosts.afterfit("run", path, "--cluster", SCHEDULER)
    assert status == 0, complained
    return answer


def test_the_lifecycle_runs_on_a_cluster_of_other_hosts(model, make_source, laws):
    assert model["promoted"] is True
    assert model["scores"]["rows_scored"] == len(make_source(2).ids)
    laws.whole(Path(model["scores"]["output"]), make_source(2).ids)


def test_a_host_that_is_cut_off_in_the_middle_of_a_run_costs_time_only(
    hosts, model, make_source, laws, tmp_path
):
    """The host's packets are lost from one moment to the next: nothing says goodbye.

    Later the host is back, and changes nothing.
    """
    source, output = make_source(8), tmp_path / "out"
    run = hosts.start(
        "flow",
        "afterfit",
        "score",
        model["model"],
        source.path,
        output,
        "--cluster",
        SCHEDULER,
        "--json",
    )
    records = output.parent / f".{output.name}.afterfit-staging"
    deadline = time.monotonic() + HANGS
    while (
        len(list(records.glob("*/records/part-*.json"))) < 2
        and run.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    hosts.link("two", up=False)
    try:
        said, complained = run.communicate(timeout=HANGS)
    finally:
        hosts.link("two", up=True)
    assert (run.returncode, complained) == (0, "")
    assert json.loads(said)["rows_scored"] == len(source.ids)
    laws.alone(output, source.ids)
    assert lost_worker(hosts), "the host that was cut off had no work"
    laws.remember(output)
    back = hosts.afterfit(
        "score", model["model"], source.path, tmp_path / "again", "--cluster", SCHEDULER
    )
    assert (back[0], back[1]["rows_scored"]) == (0, len(source.ids)), back
    laws.unchanged(output)


def lost_worker(hosts):
    """Return whether the latest logs in the API name the worker of the host that was cut off."""
    newest = b'{"sort": "TIMESTAMP_DESC"}'
    headers = {"Content-Type": "application/json"}
    script = (
        "import sys, urllib.request as r\n"
        f"asked = r.Request(sys.argv[1] + '/logs/filter', {newest}, {headers})\n"
        "print(r.urlopen(asked, timeout=10).read().decode())"
    )
    command = ["ip", "netns", "exec", f"{hosts.prefix}flow", sys.executable, "-c", script, PREFECT]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return f"lost its worker tls://{HOSTS['two']}" in told


def test_a_certificate_of_another_ca_is_refused(hosts, model, make_source, laws, tmp_path):
    """The flow says so in a sentence; a worker with such a certificate is never let in."""
    stranger = certificates(tmp_path / "strange")
    score = ("score", model["model"], make_source(2).path, tmp_path / "out", "--cluster", SCHEDULER)
    laws.failed(
        refused(hosts.afterfit(*score, **stranger)),
        "certificates",
        SCHEDULER,
        "do not fit",
        status=2,
    )
    none = dict.fromkeys(stranger)
    laws.failed(
        refused(hosts.afterfit(*score, **none)), "DASK_DISTRIBUTED__COMM__TLS__CA_FILE", status=2
    )
    plain = (*score[:-1], SCHEDULER.replace("tls", "tcp"))
    laws.failed(
        refused(hosts.afterfit(*plain)), SCHEDULER.replace("tls", "tcp"), "write tls://", status=2
    )
    intruder = hosts.worker("two", **stranger)
    try:
        status, answer, complained = hosts.afterfit(*score)
        assert (status, answer["rows_scored"]) == (0, len(make_source(2).ids)), complained
        assert intruder.poll() is None or intruder.returncode != 0
    finally:
        intruder.kill()


def test_a_host_that_does_not_see_the_data_is_refused(hosts, model, make_source, laws, tmp_path):
    """The host has a folder of the same name, and nothing is in it."""
    source = make_source(2).path
    hidden = f"mount -t tmpfs none '{source.parent}' && exec \"$@\""
    blind = hosts.worker("two", before=["unshare", "--mount", "sh", "-ec", hidden, "sh"])
    command = ("score", model["model"], source, tmp_path / "out", "--cluster", SCHEDULER)
    deadline = time.monotonic() + HANGS
    while (ended := hosts.afterfit(*command, "--replace"))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.5)  # it has not joined yet
    laws.failed(
        refused(ended), f"The worker tls://{HOSTS['two']}", f"cannot read {source}", status=2
    )
    blind.terminate()
    blind.wait(timeout=HANGS)


def refused(ended):
    """Return what `Laws.failed` takes: the empty string where there is no output."""
    status, answer, complained = ended
    return status, "" if answer is None else answer, complained
