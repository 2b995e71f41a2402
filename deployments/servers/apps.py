"""The apps of the embedded servers, each with a guard before it.

This is what their processes import, and nothing else of ours does. The first function rests on
Prefect's `create_app`, which it does not promise, the second on `fastapi_app`, to which MLflow's
option `--app-name` leads here by an entry point of the package.
"""

import os

from deployments.servers.guard import Guard
from deployments.servers.login import LOGIN


def prefect_app() -> Guard:
    """Return Prefect's app, which asks for the login of a private home itself."""
    from prefect.server.api.server import create_app  # noqa: PLC0415 - for this server alone

    return Guard(create_app())


def mlflow_app() -> Guard:
    """Return MLflow's app."""
    from mlflow.server.fastapi_app import app  # noqa: PLC0415 - for this server alone

    return Guard(app, os.environ.get(LOGIN, ""))
