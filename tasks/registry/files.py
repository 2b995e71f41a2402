"""The files of a version: stored, and fetched."""

import importlib.metadata
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Run
from mlflow.exceptions import MlflowException

from tasks.core.errors import RequestError
from tasks.core.model.version import ModelVersion, check_files
from tasks.core.storage.digests import folder_digest
from tasks.core.storage.home import home_folder
from tasks.registry.client import connect, explain_errors
from tasks.registry.versions import CHALLENGER, find_version

REQUIREMENTS = ("mlflow", "numpy", "pandas", "scikit-learn", "skops")


@explain_errors
def fetch(version: ModelVersion) -> ModelVersion:
    """Fetch the files of a version into the home, and return it with their folder.

    Files that are there already are used; a copy that has changed since is fetched again.

    Raises:
        RequestError: the files are not those that were registered.
    """
    if not version.digest:
        raise RequestError(
            f"{version.name} version {version.version} was not registered by afterfit: "
            "it has no digest."
        )

    folder = home_folder() / "models" / version.digest
    if not (folder.exists() and folder_digest(folder) == version.digest):
        shutil.rmtree(folder, ignore_errors=True)
        _download(version, folder)
    return replace(version, folder=str(folder))


def _download(version: ModelVersion, folder: Path) -> None:
    """Download the files of a version and check them; the folder appears whole or not at all."""
    client = connect()
    registered = client.get_model_version(version.name, str(version.version))

    with tempfile.TemporaryDirectory(dir=home_folder()) as fresh:
        downloaded = Path(client.download_artifacts(str(registered.run_id), "model", fresh))
        check_files(replace(version, folder=str(downloaded)))

        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.exists():  # another process may have been faster
            downloaded.rename(folder)


@explain_errors
def register(
    name: str, folder: Path, tags: Mapping[str, str], metrics: Mapping[str, float]
) -> ModelVersion:
    """Upload a model folder as a new version, the challenger, and return it.

    Its digest is tagged last: a version without one is incomplete.
    """
    client = connect()
    run = _log_run(client, name, folder, tags, metrics)
    _ensure_model(client, name)

    source = f"{run.info.artifact_uri}/model"
    version = client.create_model_version(
        name, source, run.info.run_id, tags=dict(tags), await_creation_for=60
    )
    client.set_registered_model_alias(name, CHALLENGER, version.version)
    client.set_model_version_tag(name, version.version, "digest", folder_digest(folder))
    return find_version(name, int(version.version))


def _log_run(
    client: MlflowClient,
    name: str,
    folder: Path,
    tags: Mapping[str, str],
    metrics: Mapping[str, float],
) -> Run:
    """Log a finished run with the files, tags and metrics, in the experiment of that name."""
    experiment_id = _ensure_experiment(client, name)
    run_name = f"{name} {tags['candidate']}"
    run = client.create_run(experiment_id, tags=dict(tags), run_name=run_name)
    run_id = run.info.run_id

    now = run.info.start_time
    logged = [Metric(key, value, now, 0) for key, value in metrics.items()]
    client.log_batch(run_id, metrics=logged)
    client.log_artifacts(run_id, str(folder), "model")
    client.set_terminated(run_id)
    return run


def _ensure_experiment(client: MlflowClient, name: str) -> str:
    """Return the id of the experiment of that name, created if it does not exist."""
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return client.create_experiment(name)
    return str(experiment.experiment_id)


def _ensure_model(client: MlflowClient, name: str) -> None:
    """Create the registered model, if it does not exist."""
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def save_model(pipeline: object, folder: Path, predictions: object, rows: object) -> None:
    """Write a model folder that plain MLflow can serve too.

    It holds the model as skops, its signature and explicit requirements, which MLflow would
    otherwise infer in a subprocess of 15 seconds.
    """
    import mlflow.sklearn  # noqa: PLC0415 - only what registers needs it
    from mlflow.models import infer_signature  # noqa: PLC0415 - the same

    from tasks.core.model.skops_file import TRUSTED  # noqa: PLC0415 - the same

    versions = {package: importlib.metadata.version(package) for package in REQUIREMENTS}
    mlflow.sklearn.save_model(
        pipeline,
        str(folder),
        serialization_format="skops",
        skops_trusted_types=list(TRUSTED),
        signature=infer_signature(rows, predictions),
        pip_requirements=[f"{package}=={version}" for package, version in versions.items()],
    )
