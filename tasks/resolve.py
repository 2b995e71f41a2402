"""Resolve names in the registry to versions, once at the start of a run."""

from tasks.core.model.version import ModelVersion
from tasks.idempotent import idempotent_task
from tasks.registry.files import fetch
from tasks.registry.versions import find_alias, find_trained, resolve


@idempotent_task(task_run_name="resolve {model}")
def resolve_version(model: str) -> ModelVersion:
    """Resolve `name`, `name@alias` or `name/version`, and fetch its files."""
    return fetch(resolve(model))


@idempotent_task(task_run_name="resolve the champion of {name}")
def resolve_champion(name: str) -> ModelVersion | None:
    """Find the version in use, if there is one, and fetch its files."""
    champion = find_alias(name)
    return champion and fetch(champion)


@idempotent_task(task_run_name="look for a version of {name} trained the same way")
def resolve_trained(name: str, training_key: str) -> ModelVersion | None:
    """Find the version registered under a training key, if there is one, and fetch its files."""
    version = find_trained(name, training_key)
    return version and fetch(version)
