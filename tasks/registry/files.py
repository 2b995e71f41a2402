"""The files of a version: stored, and fetched."""

import importlib.metadata
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Run
from mlflow.exceptions import MlflowException

from tasks.core.errors import RequestError
from tasks.core.evaluation.verdict import VERDICT_NAME, with_evidence
from tasks.core.model.metadata import METADATA_NAME, model_name
from tasks.core.model.version import ModelVersion, read_files
from tasks.core.storage.digests import folder_digest
from tasks.core.storage.names import check_digest
from tasks.core.storage.own_folders import own_folder
from tasks.registry.client import MISSING, connect, explain_errors
from tasks.registry.versions import CHALLENGER, find_version

DIGEST = "digest"
EVIDENCE = (VERDICT_NAME, METADATA_NAME)
REQUIREMENTS = ("mlflow", "numpy", "pandas", "scikit-learn", "skops")


class DigestChangedError(RequestError):
    """Somebody has changed or deleted the tag that says which files a version has."""


@explain_errors
def fetch(version: ModelVersion) -> ModelVersion:
    """Fetch the files of a version into the home; return it with their folder and its evidence.

    Files that are there already are used; a copy that has changed since is fetched again.

    Raises:
        DigestChangedError: its tag names other files than it was registered with.
        RequestError: the files are not those that were registered.
    """
    _check_digest_of_run(version)
    if not version.digest:
        raise RequestError(
            f"{version.name} version {version.version} was not registered by afterfit: "
            "it has no digest."
        )

    check_digest(version.digest, version.title)
    fetched = replace(version, folder=str(own_folder("models") / version.digest))
    files = _read_copy(fetched)
    if files is None:
        files = _download(fetched)
    found = with_evidence(fetched, files.get(VERDICT_NAME, b""))

    # A version can be made from the run of another model, whose evidence says nothing about it.
    is_of_this_model = model_name(files.get(METADATA_NAME, b"")) in {"", version.name}
    return replace(found, passed=found.passed and is_of_this_model)


def _check_digest_of_run(version: ModelVersion) -> None:
    """Refuse a digest that is not the one with which the version was registered.

    A tag can be changed; a parameter of a run cannot. A run that is gone, and one of an older
    version of afterfit, has none.

    Raises:
        DigestChangedError: the tag was changed or deleted, or is not written yet.
    """
    if not version.run_id:
        return

    try:
        registered = connect().get_run(version.run_id).data.params.get(DIGEST)
    except MlflowException as error:
        if error.error_code in MISSING:
            return
        raise

    if registered not in {None, version.digest}:
        raise DigestChangedError(
            f"The files of {version.title} are not those that were registered: somebody has "
            f"changed its tag {DIGEST!r} in MLflow, or the run that registers it has not ended; "
            f"set the tag to {registered}."
        )


def _read_copy(version: ModelVersion) -> dict[str, bytes] | None:
    """Return the evidence of the files that were fetched before; None if they are not whole."""
    if Path(version.folder).is_symlink():
        return None

    try:
        return read_files(version, *EVIDENCE)
    except (RequestError, OSError):
        return None


def _download(version: ModelVersion) -> dict[str, bytes]:
    """Download the files of a version, check them, and return the evidence.

    The folder appears whole or not at all. What stood in its place is deleted first: not where it
    stands, which might be behind a symbolic link, but moved into a folder of our own.
    """
    folder = Path(version.folder)

    with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
        if os.path.lexists(folder):
            folder.rename(Path(fresh) / "damaged")

        downloaded = Path(connect().download_artifacts(version.run_id, "model", fresh))
        files = read_files(replace(version, folder=str(downloaded)), *EVIDENCE)
        if not folder.exists():  # another process may have been faster
            downloaded.rename(folder)
    return files


@explain_errors
def register(
    name: str, folder: Path, tags: Mapping[str, str], metrics: Mapping[str, float]
) -> ModelVersion:
    """Upload a model folder as a new version, the challenger, and return it.

    Its digest is tagged last: a version without one is incomplete. It is a parameter of the run
    too, where nobody can change it.
    """
    client = connect()
    digest = folder_digest(folder)
    run = _log_run(client, name, folder, tags, metrics)
    client.log_param(run.info.run_id, DIGEST, digest)
    _ensure_model(client, name)

    source = f"{run.info.artifact_uri}/model"
    version = client.create_model_version(
        name, source, run.info.run_id, tags=dict(tags), await_creation_for=60
    )
    client.set_registered_model_alias(name, CHALLENGER, version.version)
    client.set_model_version_tag(name, version.version, DIGEST, digest)
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
