"""Fixtures: a registry in one SQLite file, without a server, and versions in it."""

import contextlib
import tempfile
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

# SQLite waits for the disk at every commit, but not for memory.
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder is made in it that is ours alone


@pytest.fixture(scope="session")
def store():
    """The URI of a store. Its schema takes a second, so all tests share it."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        uri = f"sqlite:///{folder}/mlflow.db"
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)  # artifacts go to ./mlruns of wherever the store is opened first
            MlflowClient(uri, uri).search_experiments()
        yield uri


@pytest.fixture
def client(store, tmp_path, monkeypatch):
    """A client of a registry that is empty, with a home of its own."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.setenv("AFTERFIT_HOME", str(home))
    client = MlflowClient(store, store)
    yield client
    for model in client.search_registered_models():
        client.delete_registered_model(model.name)


@pytest.fixture
def add_version(client):
    """Add a version with these tags to a model, which is created if need be; return its number."""

    def add(name="bike", **tags):
        with contextlib.suppress(MlflowException):
            client.create_registered_model(name)
        return int(client.create_model_version(name, "file:///nowhere", tags=tags).version)

    return add


@pytest.fixture
def aliases(client):
    """Return the aliases of a model, each with the number of its version."""

    def read(name="bike"):
        found = client.get_registered_model(name).aliases
        return {alias: int(version) for alias, version in found.items()}

    return read


@pytest.fixture
def three(client, add_version):
    """The model `bike` with three versions, of which the first is the champion."""
    for _ in range(3):
        add_version()
    client.set_registered_model_alias("bike", "champion", "1")
