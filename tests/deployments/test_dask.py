"""What `deployments/dask/` holds for a cluster names things that are there."""

import re
from pathlib import Path

import dask
import pytest
import yaml
from distributed.cli import dask_scheduler, dask_worker

HOUSE = Path(__file__).resolve().parents[2]
FOLDER = HOUSE / "deployments" / "dask"
CLUSTER = yaml.safe_load((FOLDER / "cluster.yaml").read_text(encoding="utf-8"))
NAME = CLUSTER["metadata"]["name"]


def container(role):
    """Return the container of the scheduler's or of a worker's pod."""
    return CLUSTER["spec"][role]["spec"]["containers"][0]


@pytest.mark.parametrize(
    ("role", "command"), [("scheduler", dask_scheduler.main), ("worker", dask_worker.main)]
)
def test_the_manifest_gives_dask_options_that_it_knows(role, command):
    known = set()
    for parameter in command.params:
        known.update(parameter.opts, parameter.secondary_opts)

    given = {argument for argument in container(role)["args"] if argument.startswith("--")}
    assert given <= known


@pytest.mark.parametrize("role", ["scheduler", "worker"])
def test_the_manifest_sets_keys_that_dask_has(role):
    for variable in container(role)["env"]:
        key = variable["name"].removeprefix("DASK_").replace("__", ".").lower()
        assert dask.config.get(key, "no such key") != "no such key", key


def test_the_script_exports_the_keys_of_tls():
    script = (FOLDER / "make-certificates.sh").read_text(encoding="utf-8")
    assert re.findall(r"export (DASK\w+?TLS__)", script)


def test_the_workers_of_the_manifest_go_to_its_scheduler_and_run_its_image():
    assert f"tls://{NAME}-scheduler:8786" in container("worker")["args"]
    assert container("worker")["image"] == container("scheduler")["image"]

    service = CLUSTER["spec"]["scheduler"]["service"]
    assert service["selector"]["dask.org/cluster-name"] == NAME


def test_the_image_copies_what_there_is():
    recipe = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    sources = re.findall(r"^COPY (.*) \S+$", recipe, re.MULTILINE)
    names = " ".join(sources).split()

    assert len(names) > 4
    assert [name for name in names if not (HOUSE / name).exists()] == []


def test_the_image_has_our_python():
    recipe = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    version = re.search(r"python:(3.[0-9]+)-", recipe)[1].replace(".", "")
    project = (HOUSE / "pyproject.toml").read_text(encoding="utf-8")
    assert f'target-version = "py{version}"' in project
