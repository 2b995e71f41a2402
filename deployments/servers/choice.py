"""Which servers to use: those that a person has named, else the embedded ones of the home."""

from dataclasses import dataclass
from pathlib import Path

from deployments.servers import daemon
from deployments.servers.embedded import recorded
from deployments.servers.external import (
    ExternalServer,
    external_mlflow,
    external_prefect,
    prefect_ui_url,
)
from deployments.servers.kinds import MLFLOW, PREFECT, ServerKind
from deployments.servers.ports import is_listening

EXTERNAL = {PREFECT: external_prefect, MLFLOW: external_mlflow}


@dataclass(frozen=True)
class Servers:
    """The servers to use; the embedded ones are ours and run on this machine alone."""

    prefect_api_url: str
    prefect_ui_url: str
    mlflow_url: str
    prefect_embedded: bool
    mlflow_embedded: bool


def find_external(kind: ServerKind, folder: Path) -> ExternalServer | None:
    """Return the server that a person has named, or None where the embedded one is to be used.

    The embedded one itself may be named, as `afterfit env` exports it: that names no other.
    """
    external = EXTERNAL[kind]()
    record = recorded(kind, folder)
    if external is None or record is None or external.url.rstrip("/") != kind.url(record.port):
        return external

    # A server of somebody else's may have taken the port that ours had.
    is_ours = (
        daemon.find(record)
        or not is_listening(record.port)
        or daemon.find_family(kind.name, folder, record)
    )
    return None if is_ours else external


def find_ui_url(api_url: str, external: ExternalServer | None) -> str:
    """Return where the UI of a Prefect server is."""
    if external:
        return prefect_ui_url(api_url)
    return api_url.removesuffix(PREFECT.api)
