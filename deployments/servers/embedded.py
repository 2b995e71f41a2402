"""The servers that a home can hold: how each is set up, brought back and waited for."""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deployments.servers import daemon
from tasks.core.errors import AfterfitError

START_SECONDS = 120.0
HEALTH_SECONDS = 10.0
PORTS_TRIED = 100
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
# What a person set for their own servers does not hold for the embedded ones.
FOREIGN = ("PREFECT_", "MLFLOW_", "_MLFLOW_", "UVICORN_", "WEB_CONCURRENCY")
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
    """What sets one server apart from the other."""

    name: str
    title: str
    port: int
    api: str
    arguments: str
    settings: Mapping[str, str]

    def url(self, port: int) -> str:
        """Return the address that clients use."""
        return f"http://{daemon.HOST}:{port}{self.api}"

    @property
    def health(self) -> str:
        """Return the path that answers when all is well."""
        return f"{self.api}/health"


# Paths are relative to the home, where the servers run: a database URL cannot hold every name a
# folder may have.
PREFECT = ServerKind(
    "prefect",
    "Prefect",
    4200,
    "/api",
    "uvicorn --factory prefect.server.api.server:create_app "
    "--host {host} --port {port} --workers 1 --log-level warning",
    {
        "PREFECT_HOME": "{home}/prefect",
        "PREFECT_PROFILES_PATH": os.devnull,
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:///prefect/prefect.db",
        "PREFECT_SERVER_API_HOST": "{host}",
        "PREFECT_SERVER_API_PORT": "{port}",
        "PREFECT_SERVER_UI_API_URL": "http://{host}:{port}/api",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": "{home}/prefect/ui",
        # No other web page in the user's browser may speak to the API.
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": "http://{host}:{port},http://localhost:{port}",
        "PREFECT__SERVER_FINAL": "1",  # as `prefect server start` sets it
        **RECORDING,
    },
)
MLFLOW = ServerKind(
    "mlflow",
    "MLflow",
    5500,
    "",
    "mlflow server --host {host} --port {port} --workers 1 --uvicorn-opts --no-access-log "
    "--backend-store-uri sqlite:///mlflow/mlflow.db --artifacts-destination mlflow/artifacts",
    {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
)
KINDS = (PREFECT, MLFLOW)


def recorded(kind: ServerKind, folder: Path) -> daemon.Record | None:
    """Return what a home remembers of its server, running or not."""
    return daemon.read_record(folder / "servers" / f"{kind.name}.json")


def reuse(kind: ServerKind, folder: Path) -> daemon.Record | None:
    """Return the running server of a home; stop what is left of one that does not answer or lost
    its record.
    """
    record = recorded(kind, folder)
    if (
        record
        and daemon.find(record)
        and (daemon.answers(record.port, kind.health) or _recovers(kind, record))
    ):
        return record
    daemon.stop(kind.name, folder, record)
    return None


def _recovers(kind: ServerKind, record: daemon.Record) -> bool:
    # One without a port is still starting: whoever started it was interrupted.
    starting = (
        0 if daemon.is_listening(record.port) else START_SECONDS - (time.time() - record.created)
    )
    return daemon.await_health(record, kind.health, max(HEALTH_SECONDS, starting))


def launch(kind: ServerKind, folder: Path) -> daemon.Record:
    """Start a server on the port it had before, else on the preferred one, else on the next that is
    free.
    """
    preferred = int(os.environ.get(f"AFTERFIT_{kind.name.upper()}_PORT") or kind.port)
    record = recorded(kind, folder)
    if record:
        daemon.settle(record.port)
    ports = [
        *([record.port] if record else []),
        *range(preferred, min(preferred + PORTS_TRIED, 2**16)),
    ]
    port = next(filter(daemon.is_free, ports), None)
    if port is None:
        raise AfterfitError(f"No port is free for the {kind.title} server from {preferred} on.")
    values = {"host": daemon.HOST, "port": port, "home": folder}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    settings = {name: value.format(**values) for name, value in kind.settings.items()}
    marks = {"PYTHONSAFEPATH": "1", "AFTERFIT_HOME": str(folder)}
    command = [sys.executable, "-m", *kind.arguments.format(**values).split()]
    return daemon.launch(
        kind.name, command, {**inherited, **QUIET, **settings, **marks}, folder, port
    )


def wait(kind: ServerKind, folder: Path, record: daemon.Record) -> daemon.Record:
    """Wait until a server answers; start it again if somebody took its port while it was
    starting.
    """
    for _ in range(3):
        if daemon.await_health(record, kind.health, START_SECONDS):
            return record
        if daemon.find(record) or daemon.is_free(record.port):
            break
        record = launch(kind, folder)
    log = folder / "logs" / f"{kind.name}.log"
    alive = daemon.stop(kind.name, folder, record)
    fate = f"did not answer in {START_SECONDS:.0f} s" if alive else "ended while starting"
    raise AfterfitError(
        f"The {kind.title} server {fate}: {daemon.last_line(log) or 'it said nothing'} (see {log})."
    )
