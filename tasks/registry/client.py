"""The client of the MLflow server."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.storage.location import without_secrets

MISSING = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}
P = ParamSpec("P")
T = TypeVar("T")


# Set for the body of `use_registry`; a variable of the environment would be that of all threads.
_registry: ContextVar[str | None] = ContextVar("registry", default=None)


@contextmanager
def use_registry(uri: str) -> Iterator[None]:
    """Talk to this MLflow server in the body, whatever the environment names."""
    token = _registry.set(uri)
    try:
        yield
    finally:
        _registry.reset(token)


def tracking_uri() -> str:
    """Give the address of the MLflow server.

    Raises:
        RequestError: nothing names one.
    """
    uri = _registry.get() or os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        raise RequestError(
            'MLFLOW_TRACKING_URI is not set: run `eval "$(afterfit env)"` before plain prefect commands.'
        )
    return uri


def connect() -> MlflowClient:
    """Make a client of the MLflow server."""
    return MlflowClient(tracking_uri(), tracking_uri())


def answering(call: Callable[P, T]) -> Callable[P, T]:
    """Turn whatever MLflow raises into one sentence."""

    @wraps(call)
    def answered(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except MlflowException as error:
            first = str(error).strip().splitlines()[0][:300]
            raise AfterfitError(
                f"The MLflow server at {without_secrets(tracking_uri())} failed: {first}"
            ) from error

    return answered


def version_url(name: str, version: int) -> str:
    """Give the page of a version in the MLflow UI."""
    return f"{without_secrets(tracking_uri())}/#/models/{name}/versions/{version}"
