"""The deployments: every entry loads, takes its parameters, and runs on a worker, ad hoc and by its
schedule.
"""

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
SECONDS = (
    180  # a worker on a busy machine takes its time; nothing here waits that long on a quiet one
)


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["name"] for entry in ENTRIES])
def test_every_entrypoint_loads_and_takes_its_parameters(entry):
    """A deployment's flow exists, and Prefect's own validation accepts what the file gives it."""
    flow = load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False)
    validated = flow.validate_parameters(entry["parameters"])
    assert set(entry["parameters"]) <= set(validated)
    assert entry["entrypoint"].rpartition(".")[2].replace("_", "-") == flow.name


def _prefect(*arguments):
    done = subprocess.run(
        [*PREFECT, "--no-prompt", *arguments], capture_output=True, text=True, cwd=HERE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _await_completed(deployment):
    """Wait until a run of the deployment is Completed; fail as soon as one ends in another way."""
    api = os.environ["PREFECT_API_URL"]
    asked = {"deployments": {"name": {"any_": [deployment]}}}
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        states = [
            run["state"]["type"] for run in httpx.post(f"{api}/flow_runs/filter", json=asked).json()
        ]
        assert not {"FAILED", "CRASHED", "CANCELLED"} & set(states), states
        if "COMPLETED" in states:
            return
        time.sleep(1)
    raise AssertionError(f"no run of {deployment} completed within {SECONDS} s: {states}")


def _stop(process):
    """Stop a worker, and with it the flow runs that its schedule has started in the meantime."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    process.terminate()
    _, alive = psutil.wait_procs(family, timeout=20)
    for member in alive:
        member.kill()
    process.wait(60)


@pytest.fixture
def worker(servers, tmp_path):
    """A worker of the pool `afterfit`, started from a directory that holds a stranger's `tasks.py`
    and `flows/`.
    """
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "flows").mkdir(parents=True)
    (elsewhere / "flows" / "__init__.py").write_text(
        "raise RuntimeError('a stranger')", encoding="utf-8"
    )
    (elsewhere / "tasks.py").write_text("raise RuntimeError('a stranger')", encoding="utf-8")
    _prefect("work-pool", "create", "afterfit", "--type", "process", "--overwrite")
    command = [*PREFECT, "worker", "start", "--pool", "afterfit"]
    with (tmp_path / "worker.log").open("w") as log:
        process = subprocess.Popen(command, cwd=elsewhere, stdout=log, stderr=log)
        yield tmp_path / "worker.log"
        _stop(process)


def test_deployed_flows_run_ad_hoc_and_by_their_schedule(sales, worker, tmp_path):
    """`prefect deployment run` with parameters and a schedule both end Completed, with their output
    committed.
    """
    spec = load_spec(sales)
    _prefect("deploy", "--prefect-file", str(DEPLOYMENTS), "--all")
    given = (
        "--param",
        f"spec={json.dumps(spec.model_dump(mode='json'))}",
        "--param",
        "retrain=true",
    )
    _prefect("deployment", "run", "run-lifecycle/breast-cancer-weekly", *given)
    _await_completed("breast-cancer-weekly")
    assert verify_output(Path(spec.scoring.output)) == []

    hourly = next(entry for entry in ENTRIES if entry["name"] == "breast-cancer-hourly")
    scheduled = {
        "model": spec.name,
        "source": spec.data.source,
        "output": str(tmp_path / "by-schedule"),
        "replace": True,
    }
    soon = {"interval": 10, "anchor_date": "2024-01-01T00:00:00+00:00", "timezone": "UTC"}
    entry = {**hourly, "parameters": scheduled, "schedules": [soon]}
    file = tmp_path / "prefect.yaml"
    file.write_text(yaml.safe_dump({"name": "afterfit", "deployments": [entry]}), encoding="utf-8")
    _prefect("deploy", "--prefect-file", str(file), "--all")
    _await_completed("breast-cancer-hourly")
    assert read_manifest(tmp_path / "by-schedule").rows_scored == 400
