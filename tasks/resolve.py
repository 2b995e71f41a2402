"""Resolve names in the registry to versions, once at the start of a run."""

from dataclasses import replace

from tasks.core.errors import RequestError
from tasks.core.model.version import ModelVersion
from tasks.idempotent import idempotent_task
from tasks.registry.files import DigestChangedError, fetch
from tasks.registry.versions import PREVIOUS, find_alias, find_trained, resolve


@idempotent_task(task_run_name="resolve {model}")
def resolve_version(model: str) -> ModelVersion:
    """Resolve `name`, `name@alias` or `name/version`, and fetch its files."""
    return fetch(resolve(model))


@idempotent_task(task_run_name="resolve the champion of {name}")
def resolve_champion(name: str) -> ModelVersion | None:
    """Find the version in use, if there is one, and fetch its files.

    Without them it cannot be compared with a challenger; that is a verdict, and ends no run. But
    nobody shall keep a champion out of the comparison by changing a tag.
    """
    champion = find_alias(name)
    if champion is None:
        return None

    try:
        return fetch(champion)
    except DigestChangedError:
        raise
    except RequestError as error:
        return replace(champion, problem=str(error))


@idempotent_task(task_run_name="resolve the version of {name} before its champion")
def resolve_previous(name: str) -> ModelVersion | None:
    """Find the version to go back to, if there is one, and fetch its files."""
    previous = find_alias(name, PREVIOUS)
    if previous is None:
        return None

    try:
        return fetch(previous)
    except RequestError as error:
        raise RequestError(
            f"{name} cannot go back to version {previous.version}, whose files are not those that "
            f"were registered: choose another with `afterfit promote {name} VERSION`."
        ) from error


@idempotent_task(task_run_name="look for a version of {name} trained the same way")
def resolve_trained(name: str, training_key: str) -> ModelVersion | None:
    """Find the version registered under a training key, if there is one, and fetch its files.

    What its files say decides, for anybody can set a tag: one that cannot be used, or was trained
    otherwise, keeps nobody from training anew.
    """
    found = find_trained(name, training_key)
    if found is None:
        return None

    try:
        version = fetch(found)
    except RequestError:
        return None
    return version if version.training_key == training_key else None
