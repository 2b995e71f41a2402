"""The modules that a command imports when it first uses them, as in `lazy.scoring.score_batch`.

Every other module is imported at the top of the file that needs it. Names are not imported from
here: `from deployments.cli.lazy import scoring` would import the flows at once.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

MODULES = {
    # Prefect and MLflow read their settings when they are imported. So these may be used in a
    # `session` only: by then the servers' addresses are set.
    "backfill": "flows.backfill",
    "heartbeats": "deployments.cli.heartbeats",
    "lifecycle": "flows.lifecycle",
    "progress": "deployments.cli.progress",
    "release": "flows.release",
    "scoring": "flows.scoring",
    "versions": "tasks.registry.versions",
    # These take long, where `afterfit COMMAND --help` as a whole takes 120 ms.
    "demo": "deployments.cli.demo",  # 250 ms: pyarrow and scikit-learn
    "first_spec": "tasks.core.training.first_spec",  # 250 ms: pyarrow and pydantic
    "local": "deployments.servers.local",  # 20 ms: psutil and sockets
    "location": "tasks.core.storage.location",  # 60 ms: fsspec
    "request": "deployments.cli.request",  # 250 ms: pydantic and scikit-learn
    "verify": "tasks.core.output.verify",  # 200 ms: pyarrow
    "results": "tasks.core.scoring.results",  # 2 ms, and the flows have imported it by then
    "verdict": "tasks.core.evaluation.verdict",  # 2 ms, the same
}

# ruff: noqa: PLC0414 - to type checkers, `X as X` says that others may use the name
if TYPE_CHECKING:
    from deployments.cli import demo as demo
    from deployments.cli import heartbeats as heartbeats
    from deployments.cli import progress as progress
    from deployments.cli import request as request
    from deployments.servers import local as local
    from flows import backfill as backfill
    from flows import lifecycle as lifecycle
    from flows import release as release
    from flows import scoring as scoring
    from tasks.core.evaluation import verdict as verdict
    from tasks.core.output import verify as verify
    from tasks.core.scoring import results as results
    from tasks.core.storage import location as location
    from tasks.core.training import first_spec as first_spec
    from tasks.registry import versions as versions
else:

    def __getattr__(name: str) -> ModuleType:
        """Import a module of the table (PEP 562)."""
        if name not in MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(MODULES[name])
