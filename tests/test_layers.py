"""The import contract: two tables, and no exception to either."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("deployments", "flows", "tasks")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FILES
}

# The rooms of the core, and those below each. Rooms that stand beside each other do not import
# their neighbour.
CORE = {
    "errors": "",
    "wording": "",
    "storage": "errors",
    "windows": "errors",
    "predictions": "errors",
    "score_columns": "errors",
    "dates": "",  # models that are stored name it: it never moves
    "metrics": "predictions",
    "spec": "errors storage windows score_columns metrics",
    "tables": "errors wording storage metrics spec",
    "model": "errors storage predictions score_columns metrics spec tables",
    "output": "errors wording storage score_columns tables",
    "scoring": "errors wording storage windows predictions score_columns spec tables model output",
    "evaluation": "errors storage predictions metrics spec tables model",
    "training": "errors dates wording storage metrics spec tables model scoring evaluation",
    "monitoring": "tables",
}
VERBS = sorted(
    module
    for module in MODULES
    if module.startswith("tasks.")
    and module.count(".") == 1
    and MODULES[module].name != "__init__.py"
)
SHOWN = {"tasks.publish", "tasks.progress"}  # what tasks and flows show in the UI
EVERY_CORE = {f"tasks.core.{room}" for room in CORE}
BELOW_VERBS = {"tasks.idempotent", *SHOWN, "tasks.registry", "tasks.runner", *EVERY_CORE}
# First table: who may import whom. A room may import itself, and what is named here.
MAY_IMPORT = {
    "deployments.cli": {"deployments.servers", "flows", "tasks.registry", *EVERY_CORE},
    "deployments.servers": {"tasks.core.errors", "tasks.core.storage"},
    "flows": {*VERBS, *BELOW_VERBS},
    **dict.fromkeys(VERBS, BELOW_VERBS),
    "tasks.idempotent": set(),
    "tasks.publish": {"tasks.registry", *EVERY_CORE},
    "tasks.progress": {"tasks.publish", *EVERY_CORE},
    "tasks.registry": EVERY_CORE,
    "tasks.runner": EVERY_CORE,
    **{
        f"tasks.core.{room}": {f"tasks.core.{other}" for other in below.split()}
        for room, below in CORE.items()
    },
    **{key: set() for key in ("deployments", "tasks", "tasks.core")},
}
# Second table: one room a library. It may be imported there, and nowhere else.
TASKS = {*VERBS, *SHOWN, "tasks.idempotent"}
ROOM_OF = {
    "mlflow": {"tasks.registry"},
    **{key: {"tasks.runner"} for key in ("dask", "distributed", "prefect_dask", "cloudpickle")},
    "prefect": {"deployments.cli", "flows", "tasks.runner", *TASKS},
    "fsspec": {"tasks.core.storage"},
    "pydantic": {"tasks.core.spec"},
    "numba": {"tasks.core.model.trees.loops"},
    "skops": {"tasks.core.model.skops_file"},
    **{key: {"deployments.cli"} for key in ("cyclopts", "rich")},
}


def room_of(module):
    """Name the room a module is in: the longest of those in the first table."""
    rooms = [room for room in MAY_IMPORT if is_in(module, room)]
    return max(rooms, key=len, default=None)


def is_in(module, room):
    return module == room or module.startswith(f"{room}.")


def imports(tree, package):
    """Name every module that is imported anywhere in a file, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = (
                package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            )
            origin = ".".join([*above, *filter(None, [node.module])])
            yield from (
                f"{origin}.{alias.name}" if f"{origin}.{alias.name}" in MODULES else origin
                for alias in node.names
            )


def breaches(module, source, package):
    """List the imports of a module that the contract does not allow."""
    room = room_of(module)
    for imported in imports(ast.parse(source), package):
        other = room_of(imported)
        if imported.partition(".")[0] in PACKAGES:
            allowed = other == room or other in MAY_IMPORT[room]
        else:
            rooms = ROOM_OF.get(imported.partition(".")[0])
            allowed = rooms is None or any(is_in(module, room) for room in rooms)
        if not allowed:
            yield f"{module} imports {imported}"


def package_of(module):
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_only_and_each_library_has_one_room(module):
    assert (
        list(breaches(module, MODULES[module].read_text(encoding="utf-8"), package_of(module)))
        == []
    )


def test_no_room_is_above_itself():
    """The first table holds no circle: from each room, following what is below it never leads back
    to it.
    """
    for room, below in MAY_IMPORT.items():
        seen, left = set(), set(below)
        while left:
            other = left.pop()
            seen.add(other)
            left |= MAY_IMPORT[other] - seen
        assert room not in seen


@pytest.mark.parametrize(
    ("module", "source", "allowed"),
    [
        ("tasks.core.spec.spec", "from tasks.core import errors", True),
        ("tasks.core.spec.spec", "from tasks.core.tables.columns import Column", False),
        ("tasks.core.spec.spec", "from tasks import registry", False),
        ("tasks.core.spec.spec", "def f():\n    import prefect.logging", False),
        ("tasks.core.spec.spec", "from ..tables import columns", False),
        ("tasks.core.spec.spec", "import flows.scoring", False),
        ("tasks.core.spec.spec", "import pydantic", True),
        ("tasks.core.tables.sources", "import pydantic", False),
        ("tasks.core.tables.sources", "import fsspec", False),
        ("tasks.core.output.folder", "from tasks.core.model.metadata import ModelMetadata", False),
        ("tasks.core.model.predictor", "from tasks.core.output.quarantine import INPUT", False),
        ("tasks.core.model.skops_file", "import skops.io", True),
        ("tasks.core.model.trees.kernel", "import numba", False),
        ("tasks.registry.client", "import mlflow.sklearn", True),
        ("tasks.registry.client", "from tasks.fit import fit_candidate", False),
        ("tasks.registry.client", "from tasks.runner import make", False),
        ("tasks.fit", "from tasks.registry import files", True),
        ("tasks.fit", "from tasks.publish import publish_verdict", True),
        ("tasks.fit", "from tasks.score import score_bundle", False),
        ("tasks.fit", "from mlflow import MlflowClient", False),
        ("tasks.fit", "import flows", False),
        ("tasks.runner.make", "from prefect_dask import DaskTaskRunner", True),
        ("flows.scoring", "import distributed", False),
        ("flows.scoring", "from tasks.runner.make import make_runner", True),
        ("flows.scoring", "from deployments.servers.local import up", False),
        ("deployments.cli.train", "import flows.scoring", True),
        ("deployments.cli.train", "from tasks.fit import fit_candidate", False),
        ("deployments.servers.local", "from deployments.cli import app", False),
    ],
)
def test_the_contract_tells_what_is_allowed_from_what_is_not(module, source, allowed):
    """A contract that finds nothing could as well be broken itself."""
    assert (list(breaches(module, source, package_of(module))) == []) is allowed


@pytest.mark.parametrize("module", MODULES)
def test_nothing_prints(module):
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert [
        call.lineno for call in calls if isinstance(call, ast.Name) and call.id == "print"
    ] == []


def test_the_core_knows_no_framework():
    """Not even through what it imports: in a process that has imported all of it, there is none."""
    core = [module for module in MODULES if is_in(module, "tasks.core")]
    code = (
        "import importlib, sys\n"
        f"for name in {core!r}: importlib.import_module(name)\n"
        "sys.stdout.write(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    found = subprocess.run(
        [sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert "sklearn" in found.stdout.split()
    # scikit-learn's own dependencies may look at dask, where it is installed
    assert {"prefect", "prefect_dask", "distributed", "mlflow"} & set(found.stdout.split()) == set()
