"""The one kind of task of this project: it neither caches nor persists what it returns.

Runs resume from committed outputs and registered versions, whose content is checked, and never from
a task's state. Tasks are idempotent: one whose worker died is run again. Exceptions are not
retried; they would recur.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE

P = ParamSpec("P")
R = TypeVar("R")
RETRIES = 3  # how often a task whose worker died is run again


def idempotent_task(*, task_run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Decorate a function as a Prefect task; its runs are named by a template of parameters."""
    return task(
        cache_policy=NO_CACHE,
        persist_result=False,
        task_run_name=task_run_name,
        retries=RETRIES,
        retry_condition_fn=_never,
    )


def _never(*_: Any) -> bool:
    return False
