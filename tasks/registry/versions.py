"""The versions of registered models; read by the flow process alone."""

import re
from dataclasses import dataclass

from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from tasks.core.errors import RequestError
from tasks.core.model.version import ModelVersion
from tasks.registry.client import MISSING, connect, explain_errors

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
NUMBER = re.compile("[0-9]{1,9}")


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
    # The name is compared here: MLflow's filter strings cannot quote every name.
    found = connect().search_model_versions(f"tags.`training_key`='{training_key}'")
    complete = [version for version in found if version.name == name and version.tags.get("digest")]
    if not complete:
        return None

    newest = max(int(version.version) for version in complete)
    return find_version(name, newest)  # what a search returns lacks the aliases


def resolve(model: str) -> ModelVersion:
    """Resolve `name` (its champion), `name@alias` or `name/version` to one version.

    Raises:
        RequestError: there is no such model, alias or version; the message says what there is.
    """
    head, slash, number = model.partition("/")
    name, at, alias = head.partition("@")
    is_wrong_alias = bool(at) and not alias  # as where a variable of a shell is not set
    is_wrong_number = bool(slash) and (bool(at) or not NUMBER.fullmatch(number))
    if is_wrong_alias or is_wrong_number:
        raise RequestError(f"{model!r} is no model: write name, name@alias or name/version.")
    if slash:
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
    found = connect().search_registered_models(max_results=1000)
    return [to_listed_model(model) for model in found]


def to_listed_model(found: RegisteredModel) -> ListedModel:
    """Convert MLflow's record of a model to ours."""
    # The latest of each stage. To search for the newest would take a filter string, which cannot
    # quote every name.
    numbers = [int(version.version) for version in found.latest_versions]
    newest = max(numbers, default=None)

    aliases = {alias: int(version) for alias, version in sorted(found.aliases.items())}
    return ListedModel(str(found.name), newest, aliases)


def to_model_version(found: MlflowVersion) -> ModelVersion:
    """Convert MLflow's record of a version to ours."""
    return ModelVersion(
        name=str(found.name),
        version=int(found.version),
        digest=found.tags.get("digest", ""),
        promoted="promoted" in found.tags,
        aliases=tuple(found.aliases),
        run_id=str(found.run_id or ""),
    )
