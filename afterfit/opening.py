"""Open a registered model by its name."""

import os

from deployments.servers.local import home, status, up
from deployments.servers.login import read_login
from tasks.core.model import open as opening
from tasks.core.model.open import Model
from tasks.registry.client import use_registry
from tasks.registry.files import fetch
from tasks.registry.versions import resolve


def open_model(model: str) -> Model:
    """Open a registered model in this process, from the registry that the commands use.

    Without MLFLOW_TRACKING_URI that is the embedded one, which is started if it does not run.

    Args:
        model: `name` (its champion), `name@alias` or `name/version`.

    Returns:
        the model; its `score` takes an Arrow table or a pandas DataFrame.

    Raises:
        RequestError: there is no such version, or it cannot be used here.
        AfterfitError: the registry does not answer.
    """
    with use_registry(*_registry()):
        version = fetch(resolve(model))
    return opening.open_model(version)


def _registry() -> tuple[str, str]:
    """Return the address of the registry, and the login that one of a private home asks for."""
    if named := os.environ.get("MLFLOW_TRACKING_URI"):
        return named, ""  # what it asks for is in the environment, too

    login = read_login(home())
    found = status()["mlflow"]
    if found["running"] and found["url"]:
        return found["url"], login
    return up().mlflow_url, login
