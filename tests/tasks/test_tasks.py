"""Laws that hold for every task."""

import importlib
from pathlib import Path

import cloudpickle
import pytest
from prefect import Task

import tasks

MODULES = sorted(path.stem for path in Path(tasks.__file__).parent.glob("[a-z]*.py"))
TASKS = {
    name: found
    for module in MODULES
    for name, found in vars(importlib.import_module(f"tasks.{module}")).items()
    if isinstance(found, Task)
}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_travels_to_a_worker(name):
    """Whatever global object it names would travel with it: locks, for one, cannot."""
    loaded = cloudpickle.loads(cloudpickle.dumps(TASKS[name]))
    assert (loaded.name, loaded.retries) == (TASKS[name].name, TASKS[name].retries)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_neither_caches_nor_keeps_its_result_and_is_named_by_its_parameters(name):
    task = TASKS[name]
    assert (type(task.cache_policy).__name__, task.persist_result) == ("_None", False)
    assert task.task_run_name
    assert len(TASKS) >= 15
