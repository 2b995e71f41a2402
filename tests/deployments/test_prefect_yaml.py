"""The deployments: every entry loads, takes its parameters, and runs on a worker."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint

from tasks.core.output.manifest import read_manifest
from tasks.core.output.verify import verify_output
from tasks.core.spec.file import load_spec

HERE = Path(__file__).resolve().parents[2]
DEPLOYMENTS = HERE / "deployments/prefect.yaml"
PREFECT = [sys.executable, "-m", "prefect"]
ENTRIES = yaml.safe_load(DEPLOYMENTS.read_text(encoding="utf-8"))["deployments"]
# A worker on a busy machine takes its time; nothing here waits that long on a quiet one.
SECONDS = 180


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["name"] for entry in ENTRIES])
def test_every_entrypoint_loads_and_takes_its_parameters(entry):
    """A deployment's flow exists, and Prefect's own validation accepts what the file gives it."""
    flow = load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False)
    validated = flow.validate_parameters(entry["parameters"])
    assert set(entry["parameters"]) <= set(validated)

    function = entry["entrypoint"].rpartition(".")[2]
    assert function.replace("_", "-") == flow.name


def run_prefect(*arguments):
    command = [*PREFECT, "--no-prompt", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def states_of_runs(deployment):
    api = os.environ["PREFECT_API_URL"]
    asked = {"deployments": {"name": {"any_": [deployment]}}}
    found = httpx.post(f"{api}/flow_runs/filter", json=asked, timeout=SECONDS)
    return [run["state"]["type"] for run in found.json()]


def await_completed(deployment):
    """Wait until a run of the deployment is Completed; fail as soon as one ends in another way."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        states = states_of_runs(deployment)
        assert not {"FAILED", "CRASHED", "CANCELLED"} & set(states), states
        if "COMPLETED" in states:
            return
        time.sleep(1)

    raise AssertionError(f"no run of {deployment} completed within {SECONDS} s: {states}")


def stop(worker):
    """Stop a worker, and with it the flow runs that its schedule has started in the meantime."""
    main = psutil.Process(worker.pid)
    family = [main, *main.children(recursive=True)]
    worker.terminate()
    _, alive = psutil.wait_procs(family, timeout=20)
    for process in alive:
        process.kill()

    worker.wait(60)


@pytest.fixture
def elsewhere(tmp_path):
    """A directory that holds a stranger's `tasks.py` and `flows/`."""
    folder = tmp_path / "elsewhere"
    (folder / "flows").mkdir(parents=True)
    for name in ("flows/__init__.py", "tasks.py"):
        (folder / name).write_text("raise RuntimeError('a stranger')", encoding="utf-8")
    return folder


@pytest.fixture
def worker(servers, tmp_path, elsewhere):
    """A worker of the pool `afterfit`, started from among a stranger's modules."""
    run_prefect("work-pool", "create", "afterfit", "--type", "process", "--overwrite")

    command = [*PREFECT, "worker", "start", "--pool", "afterfit"]
    with (tmp_path / "worker.log").open("w") as log:
        process = subprocess.Popen(command, cwd=elsewhere, stdout=log, stderr=log)
        yield
        stop(process)


def write_hourly(file, spec, output):
    """Write a file of deployments with the hourly entry, for this spec and every ten seconds."""
    entry = next(entry for entry in ENTRIES if entry["name"] == "breast-cancer-hourly")
    anchor = "2024-01-01T00:00:00+00:00"
    scheduled = {
        **entry,
        "schedules": [{"interval": 10, "anchor_date": anchor, "timezone": "UTC"}],
        "parameters": {
            "model": spec.name,
            "source": spec.data.source,
            "output": str(output),
            "replace": True,
        },
    }
    document = {"name": "afterfit", "deployments": [scheduled]}
    file.write_text(yaml.safe_dump(document), encoding="utf-8")


@pytest.mark.usefixtures("worker")
def test_deployed_flows_run_ad_hoc_and_by_their_schedule(sales, tmp_path):
    """Both end Completed, with their output committed."""
    spec = load_spec(sales)
    document = json.dumps(spec.model_dump(mode="json"))
    given = ("--param", f"spec={document}", "--param", "retrain=true")
    run_prefect("deploy", "--prefect-file", str(DEPLOYMENTS), "--all")
    run_prefect("deployment", "run", "run-lifecycle/breast-cancer-weekly", *given)
    await_completed("breast-cancer-weekly")
    assert verify_output(Path(spec.scoring.output)) == []

    file, output = tmp_path / "prefect.yaml", tmp_path / "by-schedule"
    write_hourly(file, spec, output)
    run_prefect("deploy", "--prefect-file", str(file), "--all")
    await_completed("breast-cancer-hourly")
    assert read_manifest(output).rows_scored == 400
