"""The client of the MLflow server."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.storage.secrets import without_secrets

MISSING = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}
P = ParamSpec("P")
T = TypeVar("T")


# Set for the body of `use_registry`; a variable of the environment would be that of all threads.
_registry: ContextVar[str | None] = ContextVar("registry", default=None)
_login: ContextVar[str] = ContextVar("login", default="")


@contextmanager
def use_registry(uri: str, login: str = "") -> Iterator[None]:
    """Talk to this MLflow server in the body, whatever the environment names.

    Args:
        uri: its address.
        login: `user:password`, where it asks for them and the environment does not have them.
    """
    registry, signed_in = _registry.set(uri), _login.set(login)
    try:
        yield
    finally:
        _registry.reset(registry)
        _login.reset(signed_in)


def tracking_uri() -> str:
    """Return the address of the MLflow server.

    Raises:
        RequestError: MLFLOW_TRACKING_URI is not set, or holds a secret.
    """
    uri = _registry.get() or os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        raise RequestError(
            "MLFLOW_TRACKING_URI is not set: "
            'run `eval "$(afterfit env)"` before plain prefect commands.'
        )
    if uri.lower().startswith("http") and without_secrets(uri) != uri:
        raise RequestError(
            f"MLFLOW_TRACKING_URI ({without_secrets(uri)}) holds a secret, and this address is "
            "shown with every link: take it out, and set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
        )
    return uri


def connect() -> MlflowClient:
    """Return a client of the MLflow server."""
    uri = tracking_uri()
    if login := _login.get():
        uri = uri.replace("://", f"://{login}@", 1)
    return MlflowClient(uri, uri)


def explain_errors(call: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function so that MLflow's errors become an AfterfitError of one sentence."""

    @wraps(call)
    def explained(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except MlflowException as error:
            first_line, _, _ = str(error).strip().partition("\n")
            said = without_secrets(first_line)[:300]
            server = without_secrets(tracking_uri())
            raise AfterfitError(f"The MLflow server at {server} failed: {said}") from error

    return explained


def version_url(name: str, version: int) -> str:
    """Return the address of a version's page in the MLflow UI."""
    server = without_secrets(tracking_uri())
    return f"{server}/#/models/{quote(name, safe='')}/versions/{version}"
