"""The versions of registered models; read by the flow process alone."""

from dataclasses import dataclass

from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from mlflow.exceptions import MlflowException

from tasks.core.errors import RequestError
from tasks.core.model.version import ModelVersion
from tasks.registry.client import MISSING, connect, explain_errors

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"


@dataclass(frozen=True)
class ListedModel:
    """A registered model: its newest version, and the version of each alias."""

    name: str
    newest: int | None
    aliases: dict[str, int]


@explain_errors
def find_alias(name: str, alias: str = CHAMPION) -> ModelVersion | None:
    """Return the version behind an alias, or None if there is no such model or alias."""
    try:
        found = connect().get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code in MISSING:
            return None
        raise
    return to_model_version(found)


@explain_errors
def find_version(name: str, version: int) -> ModelVersion:
    """Return a version by its number.

    Raises:
        RequestError: there is no such model or version; the message says what there is.
    """
    try:
        found = connect().get_model_version(name, str(version))
    except MlflowException as error:
        if error.error_code in MISSING:
            raise RequestError(
                f"There is no version {version} of {name!r}{what_there_is(name)}"
            ) from error
        raise
    return to_model_version(found)


@explain_errors
def find_trained(name: str, training_key: str) -> ModelVersion | None:
    """Return the newest complete version registered under a training key, or None.

    A version without a digest is incomplete: its registration died before the last step.
    """
    found = connect().search_model_versions(
        f"name='{name}' and tags.`training_key`='{training_key}'"
    )
    complete = [version for version in found if version.tags.get("digest")]
    if not complete:
        return None

    newest = max(complete, key=lambda version: int(version.version))
    return to_model_version(newest)


def resolve(model: str) -> ModelVersion:
    """Resolve `name` (its champion), `name@alias` or `name/version` to one version.

    Raises:
        RequestError: there is no such model, alias or version; the message says what there is.
    """
    head, _, number = model.partition("/")
    name, _, alias = head.partition("@")
    if number:
        if alias or not number.isdecimal():
            raise RequestError(f"{model!r} is no model: write name, name@alias or name/version.")
        return find_version(name, int(number))

    alias = alias or CHAMPION
    found = find_alias(name, alias)
    if found is None:
        raise RequestError(f"There is no alias {alias!r} of a model {name!r}{what_there_is(name)}")
    return found


def what_there_is(name: str) -> str:
    """Return the end of a sentence about a model or version that is not registered."""
    newest = {model.name: model.newest for model in list_models()}
    if name in newest:
        return f"; its newest version is {newest[name]}."
    if newest:
        return f"; registered are {', '.join(sorted(newest))}."
    return "; no model is registered yet."


@explain_errors
def list_models() -> list[ListedModel]:
    """Return the registered models, by name."""
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


def to_model_version(found: MlflowVersion) -> ModelVersion:
    """Convert MLflow's record of a version to ours."""
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
