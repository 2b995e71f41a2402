"""Resolve names in the registry to versions, once at the start of a run."""

from tasks import store
from tasks.core.card import ModelVersion
from tasks.uncached import uncached_task


@uncached_task(task_run_name="resolve {model}")
def resolve_version(model: str) -> ModelVersion:
    """Resolve `name`, `name@alias` or `name/version`, and fetch its files."""
    return store.fetch(store.resolve(model))


@uncached_task(task_run_name="resolve the champion of {name}")
def resolve_champion(name: str) -> ModelVersion | None:
    """Find the version in use and fetch its files; nothing where there is none yet."""
    champion = store.find_alias(name)
    return champion and store.fetch(champion)


@uncached_task(task_run_name="look for a version of {name} trained the same way")
def resolve_trained(name: str, training_key: str) -> ModelVersion | None:
    """Find the version registered under a training key, and fetch its files."""
    version = store.find_trained(name, training_key)
    return version and store.fetch(version)
