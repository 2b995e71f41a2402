"""The two kinds of servers that a home can hold, and what sets one apart from the other."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deployments.servers.login import LOGIN, read_login
from deployments.servers.ports import HOST

QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
# What a person set for their own servers does not hold for the embedded ones.
FOREIGN = ("PREFECT_", "MLFLOW_", "_MLFLOW_", "UVICORN_", "WEB_CONCURRENCY", LOGIN)
# By default each state of a task is a transaction of its own: thousands of small tasks are shown a
# minute late.
RECORDING = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
}


@dataclass(frozen=True, eq=False)
class ServerKind:
    """How one kind of server is called, started and asked for its health.

    `arguments` are those of `python -m`, and may hold {host} and {port}; `settings` are variables
    of its environment, and may hold {home} too; `login` is the one by which it is told which login
    to ask for.
    """

    name: str
    title: str
    port: int
    api: str
    arguments: str
    settings: Mapping[str, str]
    login: str

    def url(self, port: int) -> str:
        """Return the address that clients use."""
        return f"http://{HOST}:{port}{self.api}"

    @property
    def health(self) -> str:
        """Return the path that answers when all is well."""
        return f"{self.api}/health"

    def environment(self, folder: Path, port: int) -> dict[str, str]:
        """Return the environment in which such a server runs."""
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)
        }
        variables |= QUIET
        for name, template in self.settings.items():
            variables[name] = template.format(host=HOST, port=port, home=folder)
        if login := read_login(folder):
            variables[self.login] = login

        variables["PYTHONSAFEPATH"] = "1"
        variables["AFTERFIT_HOME"] = str(folder)
        return variables


# Paths are relative to the home, where the servers run: a database URL cannot hold every name a
# folder may have.
PREFECT = ServerKind(
    "prefect",
    "Prefect",
    4200,
    "/api",
    "uvicorn --factory deployments.servers.apps:prefect_app "
    "--host {host} --port {port} --workers 1 --log-level warning",
    {
        "PREFECT_HOME": "{home}/prefect",
        "PREFECT_PROFILES_PATH": os.devnull,
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:///prefect/prefect.db",
        "PREFECT_SERVER_API_HOST": "{host}",
        "PREFECT_SERVER_API_PORT": "{port}",
        "PREFECT_SERVER_UI_API_URL": "/api",  # whatever the browser calls this server
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": "{home}/prefect/ui",
        # No other web page in the user's browser may speak to the API.
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": "http://{host}:{port}",
        "PREFECT__SERVER_FINAL": "1",  # as `prefect server start` sets it
        **RECORDING,
    },
    "PREFECT_SERVER_API_AUTH_STRING",
)
MLFLOW = ServerKind(
    "mlflow",
    "MLflow",
    5500,
    "",
    "mlflow server --app-name afterfit --host {host} --port {port} --workers 1 "
    "--uvicorn-opts --no-access-log --backend-store-uri sqlite:///mlflow/mlflow.db "
    "--artifacts-destination mlflow/artifacts",
    {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
    LOGIN,
)
KINDS = (PREFECT, MLFLOW)
