"""What `deployments/dask/` holds for a cluster names things that are there."""

import re
from pathlib import Path

import dask
import distributed
import yaml
from distributed.cli import dask_scheduler, dask_worker

HOUSE = Path(__file__).resolve().parents[2]
FOLDER = HOUSE / "deployments" / "dask"


def manifest():
    return yaml.safe_load((FOLDER / "cluster.yaml").read_text(encoding="utf-8"))


def containers():
    parts = [manifest()["spec"][name]["spec"]["containers"][0] for name in ("scheduler", "worker")]
    return dict(zip((dask_scheduler, dask_worker), parts, strict=True))


def test_the_manifest_gives_dask_options_that_it_knows():
    for command, container in containers().items():
        known = {
            option
            for parameter in command.main.params
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
        given = {argument for argument in container["args"] if argument.startswith("--")}
        assert given <= known


def test_the_manifest_and_the_script_set_keys_that_dask_has():
    script = (FOLDER / "make-certificates.sh").read_text(encoding="utf-8")
    assert re.findall(r"export (DASK\w+?TLS__)", script)
    for container in containers().values():
        for name in (variable["name"] for variable in container["env"]):
            key = name.removeprefix("DASK_").replace("__", ".").lower()
            assert dask.config.get(key, "no such key") != "no such key", (
                name,
                distributed.__version__,
            )


def test_the_workers_of_the_manifest_go_to_its_scheduler_and_run_its_image():
    scheduler, worker = containers().values()
    found = manifest()
    assert f"tls://{found['metadata']['name']}-scheduler:8786" in worker["args"]
    assert (
        found["spec"]["scheduler"]["service"]["selector"]["dask.org/cluster-name"]
        == found["metadata"]["name"]
    )
    assert scheduler["image"] == worker["image"]


def test_the_image_copies_what_there_is_and_has_our_python():
    recipe = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    copied = [
        name
        for line in re.findall(r"^COPY (.*) \S+$", recipe, re.MULTILINE)
        for name in line.split()
    ]
    assert len(copied) > 4
    assert [name for name in copied if not (HOUSE / name).exists()] == []
    assert (
        f'target-version = "py{re.search(r"python:(3.[0-9]+)-", recipe)[1].replace(".", "")}"'
        in (HOUSE / "pyproject.toml").read_text(encoding="utf-8")
    )
