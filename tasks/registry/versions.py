"""The versions of registered models, from the flow process alone."""

from dataclasses import dataclass

from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from mlflow.exceptions import MlflowException

from tasks.core.errors import RequestError
from tasks.core.model.version import ModelVersion
from tasks.registry.client import MISSING, answering, connect

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"


@dataclass(frozen=True)
class ListedModel:
    """A registered model: its newest version, and the version of each alias."""

    name: str
    newest: int | None
    aliases: dict[str, int]


@answering
def find_alias(name: str, alias: str = CHAMPION) -> ModelVersion | None:
    """Find the version behind an alias, or nothing where there is none."""
    try:
        return described(connect().get_model_version_by_alias(name, alias))
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
        return described(connect().get_model_version(name, str(version)))
    except MlflowException as error:
        if error.error_code in MISSING:
            raise RequestError(
                f"There is no version {version} of {name!r}{known_models(name)}"
            ) from error
        raise


@answering
def find_trained(name: str, training_key: str) -> ModelVersion | None:
    """Find the newest version registered under a training key, or nothing."""
    found = connect().search_model_versions(
        f"name='{name}' and tags.`training_key`='{training_key}'"
    )
    complete = [version for version in found if version.tags.get("digest")]
    return described(max(complete, key=lambda version: int(version.version))) if complete else None


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
        raise RequestError(
            f"There is no alias {alias or CHAMPION!r} of a model {name!r}{known_models(name)}"
        )
    return found


def known_models(name: str) -> str:
    """Finish a sentence about a name that is not registered with those that are."""
    models = {model.name: model for model in list_models()}
    if name not in models:
        return (
            f"; registered are {', '.join(sorted(models))}."
            if models
            else "; no model is registered yet."
        )
    return f"; its newest version is {models[name].newest}."


@answering
def list_models() -> list[ListedModel]:
    """List the registered models, by name."""
    client = connect()
    listed: list[ListedModel] = []
    for model in client.search_registered_models(max_results=1000):
        versions = client.search_model_versions(
            f"name='{model.name}'", max_results=1, order_by=["version_number DESC"]
        )
        aliases = {alias: int(version) for alias, version in sorted(model.aliases.items())}
        newest = int(versions[0].version) if versions else None
        listed.append(ListedModel(str(model.name), newest, aliases))
    return listed


def described(found: MlflowVersion) -> ModelVersion:
    """Make our record of MLflow's."""
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
