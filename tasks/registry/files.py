"""The files of a version: stored, and fetched."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

from tasks.core.errors import RequestError
from tasks.core.model.version import ModelVersion, check_files
from tasks.core.storage.digests import folder_digest
from tasks.core.storage.home import home_folder
from tasks.registry.client import answering, connect
from tasks.registry.versions import CHALLENGER, find_version


@answering
def fetch(version: ModelVersion) -> ModelVersion:
    """Fetch the files of a version into the home, once; a copy that has changed since is fetched
    again.

    Raises:
        RequestError: the files are not those that were registered.
    """
    if not version.digest:
        raise RequestError(
            f"{version.name} version {version.version} was not registered by afterfit: it has no digest."
        )
    folder = home_folder() / "models" / version.digest
    fetched = replace(version, folder=str(folder))
    if folder.exists() and folder_digest(folder) == version.digest:
        return fetched
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=home_folder()) as fresh:
        client = connect()
        run_id = client.get_model_version(version.name, str(version.version)).run_id
        downloaded = Path(client.download_artifacts(str(run_id), "model", fresh))
        check_files(replace(version, folder=str(downloaded)))
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.exists():
            downloaded.rename(folder)
    return fetched


@answering
def register(
    name: str, folder: Path, tags: Mapping[str, str], metrics: Mapping[str, float]
) -> ModelVersion:
    """Upload a model folder as a new version. Its digest is tagged last: a version without one is
    not complete.
    """
    client = connect()
    experiment = client.get_experiment_by_name(name)
    experiment_id = experiment.experiment_id if experiment else client.create_experiment(name)
    run = client.create_run(experiment_id, tags=dict(tags), run_name=f"{name} {tags['candidate']}")
    logged = [Metric(key, value, run.info.start_time, 0) for key, value in metrics.items()]
    client.log_batch(run.info.run_id, metrics=logged)
    client.log_artifacts(run.info.run_id, str(folder), "model")
    client.set_terminated(run.info.run_id)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"{run.info.artifact_uri}/model"
    version = client.create_model_version(
        name, source, run.info.run_id, tags=dict(tags), await_creation_for=60
    )
    client.set_registered_model_alias(name, CHALLENGER, version.version)
    client.set_model_version_tag(name, version.version, "digest", folder_digest(folder))
    return find_version(name, int(version.version))


def save_model(pipeline: object, folder: Path, predictions: object, rows: object) -> None:
    """Write a model folder that plain MLflow can serve too: skops, signature, explicit
    requirements.
    """
    import importlib.metadata  # noqa: PLC0415

    import mlflow.sklearn  # noqa: PLC0415 - only what registers needs it
    from mlflow.models import infer_signature  # noqa: PLC0415

    from tasks.core.model.skops_file import TRUSTED  # noqa: PLC0415

    packages = ("mlflow", "numpy", "pandas", "scikit-learn", "skops")
    mlflow.sklearn.save_model(
        pipeline,
        str(folder),
        serialization_format="skops",
        skops_trusted_types=list(TRUSTED),
        signature=infer_signature(rows, predictions),
        pip_requirements=[
            f"{package}=={importlib.metadata.version(package)}" for package in packages
        ],
    )
