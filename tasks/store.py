"""The model registry: the only file that talks to MLflow, from the flow process alone."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from mlflow.exceptions import MlflowException

from tasks.core.card import ModelVersion, check_files
from tasks.core.digest import folder_digest
from tasks.core.errors import AfterfitError, GateError, RequestError
from tasks.core.folders import home_folder
from tasks.core.sources import without_secrets

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
MISSING = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}


@dataclass(frozen=True)
class ListedModel:
    """A registered model: its newest version, and the version of each alias."""

    name: str
    newest: int | None
    aliases: dict[str, int]


P = ParamSpec("P")
T = TypeVar("T")


def tracking_uri() -> str:
    """Give the address of the MLflow server.

    Raises:
        RequestError: nothing names one.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        raise RequestError(
            'MLFLOW_TRACKING_URI is not set: run `eval "$(afterfit env)"` before plain prefect commands.'
        )
    return uri


def _client() -> MlflowClient:
    return MlflowClient(tracking_uri(), tracking_uri())


def answering(call: Callable[P, T]) -> Callable[P, T]:
    """Turn whatever MLflow raises into one sentence."""

    @wraps(call)
    def answered(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except MlflowException as error:
            first = str(error).strip().splitlines()[0][:300]
            raise AfterfitError(f"The MLflow server at {without_secrets(tracking_uri())} failed: {first}") from error

    return answered


@answering
def find_alias(name: str, alias: str = CHAMPION) -> ModelVersion | None:
    """Find the version behind an alias, or nothing where there is none."""
    try:
        return _described(_client().get_model_version_by_alias(name, alias))
    except MlflowException as error:
        if error.error_code in MISSING:
            return None
        raise


@answering
def find_version(name: str, version: int) -> ModelVersion:
    """Find a version by its number.

    Raises:
        RequestError: there is no such model or version; the message names those there are.
    """
    try:
        return _described(_client().get_model_version(name, str(version)))
    except MlflowException as error:
        if error.error_code in MISSING:
            raise RequestError(f"There is no version {version} of {name!r}{_known(name)}") from error
        raise


@answering
def find_trained(name: str, training_key: str) -> ModelVersion | None:
    """Find the newest version registered under a training key, or nothing."""
    found = _client().search_model_versions(f"name='{name}' and tags.`training_key`='{training_key}'")
    complete = [version for version in found if version.tags.get("digest")]
    return _described(max(complete, key=lambda version: int(version.version))) if complete else None


def resolve(model: str) -> ModelVersion:
    """Resolve `name`, `name@alias` or `name/version` to one version.

    Raises:
        RequestError: nothing in the registry is called that.
    """
    name, _, number = model.partition("/")
    name, _, alias = name.partition("@")
    if number:
        if not number.isdecimal() or alias:
            raise RequestError(f"{model!r} is no model: write name, name@alias or name/version.")
        return find_version(name, int(number))
    found = find_alias(name, alias or CHAMPION)
    if found is None:
        raise RequestError(f"There is no alias {alias or CHAMPION!r} of a model {name!r}{_known(name)}")
    return found


def _known(name: str) -> str:
    models = {model.name: model for model in list_models()}
    if name not in models:
        return f"; registered are {', '.join(sorted(models))}." if models else "; no model is registered yet."
    return f"; its newest version is {models[name].newest}."


@answering
def list_models() -> list[ListedModel]:
    """List the registered models, by name."""
    client = _client()
    listed: list[ListedModel] = []
    for model in client.search_registered_models(max_results=1000):
        versions = client.search_model_versions(f"name='{model.name}'", max_results=1, order_by=["version_number DESC"])
        aliases = {alias: int(version) for alias, version in sorted(model.aliases.items())}
        newest = int(versions[0].version) if versions else None
        listed.append(ListedModel(str(model.name), newest, aliases))
    return listed


def _described(found: MlflowVersion) -> ModelVersion:
    tags = found.tags
    against = tags.get("judged_against")
    return ModelVersion(
        name=str(found.name),
        version=int(found.version),
        digest=tags.get("digest", ""),
        passed=tags.get("verdict") == "passed",
        promoted="promoted" in tags,
        judged_against=int(against) if against else None,
        aliases=tuple(found.aliases),
    )


@answering
def fetch(version: ModelVersion) -> ModelVersion:
    """Fetch the files of a version into the home, once; a copy that has changed since is fetched again.

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
        client = _client()
        run_id = client.get_model_version(version.name, str(version.version)).run_id
        downloaded = Path(client.download_artifacts(str(run_id), "model", fresh))
        check_files(replace(version, folder=str(downloaded)))
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.exists():
            downloaded.rename(folder)
    return fetched


@answering
def register(name: str, folder: Path, tags: Mapping[str, str], figures: Mapping[str, float]) -> ModelVersion:
    """Upload a model folder as a new version. Its digest is tagged last: a version without one is not complete."""
    client = _client()
    experiment = client.get_experiment_by_name(name)
    experiment_id = experiment.experiment_id if experiment else client.create_experiment(name)
    run = client.create_run(experiment_id, tags=dict(tags), run_name=f"{name} {tags['candidate']}")
    metrics = [Metric(key, value, run.info.start_time, 0) for key, value in figures.items()]
    client.log_batch(run.info.run_id, metrics=metrics)
    client.log_artifacts(run.info.run_id, str(folder), "model")
    client.set_terminated(run.info.run_id)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"{run.info.artifact_uri}/model"
    version = client.create_model_version(name, source, run.info.run_id, tags=dict(tags), await_creation_for=60)
    client.set_registered_model_alias(name, CHALLENGER, version.version)
    client.set_model_version_tag(name, version.version, "digest", folder_digest(folder))
    return find_version(name, int(version.version))


@answering
def promote(name: str, version: int, expected: int | None, flow_run: str) -> int | None:
    """Make a version the champion, if the champion still is the expected one; give the version it replaced.

    Raises:
        GateError: somebody else promoted in the meantime.
    """
    client = _client()
    with _locked(name):
        champion = find_alias(name)
        found = champion.version if champion else None
        if found not in {expected, version}:
            raise GateError(
                f"{name}: the champion is version {found}, the verdict was about version {expected}: run again."
            )
        if found not in {None, version}:
            client.set_registered_model_alias(name, PREVIOUS, str(found))
        client.set_registered_model_alias(name, CHAMPION, str(version))
        _read_back(name, version)
        if (challenger := find_alias(name, CHALLENGER)) and challenger.version == version:
            client.delete_registered_model_alias(name, CHALLENGER)
        replaced = found if found != version else None  # set already by a run that died before its record
        record = {"replaced": replaced, "flow_run": flow_run}
        client.set_model_version_tag(name, str(version), "promoted", json.dumps(record))
    return replaced


@answering
def rollback(name: str, flow_run: str) -> tuple[int, int]:
    """Make the previous version the champion again; give (restored, replaced). Done twice, it undoes itself.

    Raises:
        RequestError: there is no version before.
    """
    client = _client()
    with _locked(name):
        champion, previous = find_alias(name), find_alias(name, PREVIOUS)
        if champion is None or previous is None or champion.version == previous.version:
            raise RequestError(f"{name!r} has no version before its champion to go back to{_known(name)}")
        client.set_registered_model_alias(name, CHAMPION, str(previous.version))
        client.set_registered_model_alias(name, PREVIOUS, str(champion.version))
        _read_back(name, previous.version)
        record = {"restored": previous.version, "flow_run": flow_run}
        client.set_model_version_tag(name, str(champion.version), "rolled_back", json.dumps(record))
    return previous.version, champion.version


def _read_back(name: str, version: int) -> None:
    champion = find_alias(name)
    if champion is None or champion.version != version:
        raise AfterfitError(
            f"{name}: the champion was set to version {version}, but somebody set it otherwise: look again."
        )


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Let one process of this home at a time move the aliases of a model."""
    folder = home_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def version_url(name: str, version: int) -> str:
    """Give the page of a version in the MLflow UI."""
    return f"{without_secrets(tracking_uri())}/#/models/{name}/versions/{version}"


def save_model(pipeline: object, folder: Path, answers: object, rows: object) -> None:
    """Write a model folder that plain MLflow can serve too: skops, signature, explicit requirements."""
    import importlib.metadata  # noqa: PLC0415

    import mlflow.sklearn  # noqa: PLC0415 - only what registers needs it
    from mlflow.models import infer_signature  # noqa: PLC0415

    from tasks.core.models import TRUSTED  # noqa: PLC0415

    packages = ("mlflow", "numpy", "pandas", "scikit-learn", "skops")
    mlflow.sklearn.save_model(
        pipeline,
        str(folder),
        serialization_format="skops",
        skops_trusted_types=list(TRUSTED),
        signature=infer_signature(rows, answers),
        pip_requirements=[f"{package}=={importlib.metadata.version(package)}" for package in packages],
    )
