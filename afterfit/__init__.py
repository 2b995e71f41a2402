"""The public names of afterfit. Whatever is not here is private, and may change.

Each is looked up when it is first used, so that `from afterfit import read_scores` does not wait
for Prefect.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from afterfit.opening import open_model
    from flows.backfill import backfill_scores
    from flows.lifecycle import run_lifecycle, train_model
    from flows.release import promote_version, rollback_version
    from flows.scoring import score_batch
    from tasks.core.errors import AfterfitError, GateError, RequestError
    from tasks.core.errors import WorkerLostError as WorkerLost
    from tasks.core.output.reading import read_scores
    from tasks.core.output.verify import verify_output
    from tasks.core.spec.file import load_spec
    from tasks.core.spec.spec import Spec
    from tasks.runner.make import make_runner

__all__ = [
    "AfterfitError",
    "GateError",
    "RequestError",
    "Spec",
    "WorkerLost",
    "backfill_scores",
    "load_spec",
    "make_runner",
    "open_model",
    "promote_version",
    "read_scores",
    "rollback_version",
    "run_lifecycle",
    "score_batch",
    "train_model",
    "verify_output",
]

_PLACES = {
    "AfterfitError": "tasks.core.errors:AfterfitError",
    "GateError": "tasks.core.errors:GateError",
    "RequestError": "tasks.core.errors:RequestError",
    "Spec": "tasks.core.spec.spec:Spec",
    "WorkerLost": "tasks.core.errors:WorkerLostError",
    "backfill_scores": "flows.backfill:backfill_scores",
    "load_spec": "tasks.core.spec.file:load_spec",
    "make_runner": "tasks.runner.make:make_runner",
    "open_model": "afterfit.opening:open_model",
    "promote_version": "flows.release:promote_version",
    "read_scores": "tasks.core.output.reading:read_scores",
    "rollback_version": "flows.release:rollback_version",
    "run_lifecycle": "flows.lifecycle:run_lifecycle",
    "score_batch": "flows.scoring:score_batch",
    "train_model": "flows.lifecycle:train_model",
    "verify_output": "tasks.core.output.verify:verify_output",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'afterfit' has no attribute {name!r}")
    module, _, attribute = _PLACES[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
