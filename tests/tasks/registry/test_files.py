"""The files of a version are stored, fetched once, and used only as they were registered."""

import os
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tasks.core.errors import RequestError
from tasks.core.model.version import ModelVersion
from tasks.core.storage.digests import folder_digest
from tasks.registry.files import fetch, register
from tasks.registry.versions import find_trained, find_version

TAGS = {"candidate": "Ridge", "verdict": "passed", "training_key": "5f" * 32}


@pytest.fixture
def model(tmp_path):
    """A folder with the files of a model."""
    folder = tmp_path / "model"
    (folder / "inner").mkdir(parents=True)
    (folder / "model.skops").write_bytes(b"a model")
    (folder / "inner" / "verdict.json").write_text("{}")
    return folder


@pytest.fixture
def registered(client, model):
    """A registered version of these files."""
    return register("bike", model, TAGS, {"mae": 0.5})


@pytest.fixture
def stored(client, registered):
    """The folder in which MLflow keeps the files of the version."""
    version = client.get_model_version("bike", str(registered.version))
    uri = client.get_run(version.run_id).info.artifact_uri
    return Path(uri.removeprefix("file://")) / "model"


def damage(folder):
    (folder / "model.skops").write_bytes(b"damaged")


def remove(folder):
    (folder / "model.skops").unlink()


def add(folder):
    (folder / "more.py").write_text("")


CHANGES = pytest.mark.parametrize("change", [damage, remove, add])


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).rglob("*.*")}


def in_home():
    """Everything that the home holds below its folder of models."""
    home = Path(os.environ["AFTERFIT_HOME"])
    return sorted(str(path.relative_to(home)) for path in home.glob("*/*"))


def test_a_registered_version_is_the_challenger_with_its_evidence(client, model, registered):
    digest = folder_digest(model)
    expected = ModelVersion("bike", 1, digest, aliases=("challenger",))
    assert registered == expected

    found = client.get_model_version("bike", "1")
    assert found.tags == {**TAGS, "digest": digest}

    run = client.get_run(found.run_id)
    assert run.data.metrics == {"mae": 0.5}
    assert run.data.params == {"digest": digest}
    assert TAGS.items() <= run.data.tags.items()
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "bike Ridge"


def test_the_next_registration_is_the_next_version_and_the_challenger(model, registered):
    again = register("bike", model, TAGS, {})
    assert again.version == 2
    assert again.digest == registered.digest
    assert again.aliases == ("challenger",)
    assert find_version("bike", 1).aliases == ()


def test_a_registration_that_dies_before_its_digest_is_neither_reused_nor_fetched(
    client, model, monkeypatch
):
    """The digest is the last thing to be written."""

    def die(*_):
        raise OSError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_model_version_tag", die)
        with pytest.raises(OSError, match="killed"):
            register("bike", model, TAGS, {})

    died = find_version("bike", 1)
    assert died.digest == ""
    assert died.aliases == ("challenger",)
    assert find_trained("bike", TAGS["training_key"]) is None
    with pytest.raises(
        RequestError, match=r"bike version 1 .*the run that registers it has not ended"
    ):
        fetch(died)

    assert in_home() == []

    again = register("bike", model, TAGS, {})
    assert find_trained("bike", TAGS["training_key"]) == again
    assert again.version == 2


def test_files_are_fetched_into_the_home_as_they_were_registered(model, registered):
    folder = Path(fetch(registered).folder)

    assert folder == Path(os.environ["AFTERFIT_HOME"]) / "models" / registered.digest
    assert contents(folder) == contents(model)
    assert in_home() == [f"models/{registered.digest}"]


def test_files_that_are_there_are_not_fetched_again(registered, stored):
    first = fetch(registered)
    (stored / "model.skops").unlink()

    assert fetch(registered) == first


@CHANGES
def test_a_copy_that_has_changed_is_fetched_again(model, registered, change):
    folder = Path(fetch(registered).folder)
    change(folder)

    assert Path(fetch(registered).folder) == folder
    assert contents(folder) == contents(model)


@CHANGES
def test_files_that_have_changed_in_the_store_are_refused(registered, stored, change):
    change(stored)

    sentence = "bike version 1 are not those that were registered: .* `afterfit rollback bike`"
    with pytest.raises(RequestError, match=sentence):
        fetch(registered)

    assert in_home() == []


def test_a_changed_copy_is_not_replaced_by_changed_files(registered, stored):
    folder = Path(fetch(registered).folder)
    damage(folder)
    damage(stored)

    with pytest.raises(RequestError, match="not those that were registered"):
        fetch(registered)

    assert not folder.exists()


def test_versions_with_the_same_files_share_one_copy(model, registered):
    again = register("bike", model, TAGS, {})
    assert fetch(again).folder == fetch(registered).folder
    assert len(in_home()) == 1
