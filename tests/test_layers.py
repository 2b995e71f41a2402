"""The import contract: two tables, and no exception to either."""

import ast
import functools
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("afterfit", "deployments", "flows", "tasks")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FILES
}
each_module = pytest.mark.parametrize("module", MODULES)

# The rooms of the core, and those below each, which it may import; neighbours do not import each
# other.
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
    "foreign": "errors storage predictions metrics spec tables model",
}
EVERY_CORE = {f"tasks.core.{room}" for room in CORE}
TASKS = {f"tasks.{path.stem}" for path in (ROOT / "tasks").glob("*.py")} - {"tasks.__init__"}
SHOWN = {"tasks.publish", "tasks.progress"}  # what tasks and flows show in the UI
VERBS = TASKS - SHOWN - {"tasks.idempotent"}
BELOW_VERBS = {"tasks.idempotent", *SHOWN, "tasks.registry", "tasks.runner", *EVERY_CORE}

# First table: who may import whom. A room may import itself, and what is named here.
MAY_IMPORT = {
    "afterfit": {"deployments.servers", "flows", "tasks.registry", "tasks.runner", *EVERY_CORE},
    "deployments": set(),
    "deployments.cli": {"deployments.servers", "flows", "tasks.registry", *EVERY_CORE},
    "deployments.servers": {"tasks.core.errors", "tasks.core.storage"},
    "flows": {*VERBS, *BELOW_VERBS},
    "tasks": set(),
    **dict.fromkeys(VERBS, BELOW_VERBS),
    "tasks.idempotent": set(),
    "tasks.publish": {"tasks.registry", *EVERY_CORE},
    "tasks.progress": {"tasks.publish", *EVERY_CORE},
    "tasks.registry": EVERY_CORE,
    "tasks.runner": EVERY_CORE,
    "tasks.core": set(),
}
for room, below in CORE.items():
    MAY_IMPORT[f"tasks.core.{room}"] = {f"tasks.core.{other}" for other in below.split()}

# Second table: the rooms of each library. It may be imported there, and nowhere else.
ROOMS_OF = {
    "mlflow": {"tasks.registry", "deployments.servers.apps"},
    "dask": {"tasks.runner"},
    "distributed": {"tasks.runner"},
    "prefect_dask": {"tasks.runner"},
    "cloudpickle": {"tasks.runner"},
    "cryptography": {"tasks.runner"},
    "prefect": {"deployments.cli", "deployments.servers.apps", "flows", "tasks.runner", *TASKS},
    "fsspec": {"tasks.core.storage"},
    "pydantic": {"tasks.core.spec"},
    "numba": {"tasks.core.model.trees.loops"},
    "skops": {"tasks.core.model.skops_file"},
    "cyclopts": {"deployments.cli"},
    "rich": {"deployments.cli"},
}


def is_in(module, room):
    return module == room or module.startswith(f"{room}.")


def room_of(module):
    """Return the room that a module is in: the longest name in the first table that fits."""
    rooms = [room for room in MAY_IMPORT if is_in(module, room)]
    return max(rooms, key=len, default=None)


def package_of(module):
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


@functools.cache
def source_of(module):
    return MODULES[module].read_text(encoding="utf-8")


def imports(source, package):
    """List every module that is imported anywhere in a source, inside functions too."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            origin = origin_of(node, package)
            names = [f"{origin}.{alias.name}" for alias in node.names]
            found += [name if name in MODULES else origin for name in names]
    return found


def origin_of(node, package):
    """Return the full name of the module after the `from` of an import in a package."""
    if not node.level:
        return node.module
    parents = package.split(".")
    parents = parents[: len(parents) - node.level + 1]
    return ".".join([*parents, *filter(None, [node.module])])


def is_allowed(module, imported):
    """Return whether the two tables let a module import another one."""
    top = imported.partition(".")[0]
    if top in PACKAGES:
        room, other = room_of(module), room_of(imported)
        return other == room or other in MAY_IMPORT[room]

    rooms = ROOMS_OF.get(top)
    return rooms is None or any(is_in(module, room) for room in rooms)


def breaches(module, source):
    """List the imports of a module that the contract does not allow."""
    found = imports(source, package_of(module))
    return [imported for imported in found if not is_allowed(module, imported)]


def circle_in(graph):
    """Return one circle of a graph, as a list that begins and ends with the same node, or []."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


@each_module
def test_imports_go_down_only_and_each_library_has_one_room(module):
    assert breaches(module, source_of(module)) == []


def test_no_room_is_below_itself():
    assert circle_in(MAY_IMPORT) == []


def test_no_module_imports_itself_through_others():
    """Imports inside functions count, and so do those for types alone."""
    graph = {module: imports(source_of(module), package_of(module)) for module in MODULES}
    assert circle_in(graph) == []


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
        ("deployments.servers.apps", "from prefect.server.api.server import create_app", True),
        ("deployments.servers.guard", "import mlflow", False),
    ],
)
def test_the_contract_tells_what_is_allowed_from_what_is_not(module, source, allowed):
    """A contract that finds nothing could as well be broken itself."""
    assert (breaches(module, source) == []) is allowed


@pytest.mark.parametrize(
    ("graph", "circle"),
    [
        ({}, set()),
        ({"a": ["b", "c"], "b": ["c"]}, set()),
        ({"a": ["a"]}, {"a"}),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, {"a", "b", "c"}),
    ],
)
def test_a_circle_is_found(graph, circle):
    assert set(circle_in(graph)) == circle


@each_module
def test_nothing_prints(module):
    tree = ast.parse(source_of(module))
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [call.id for call in calls if isinstance(call, ast.Name)]
    assert "print" not in names


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
    loaded = set(found.stdout.split())
    assert "sklearn" in loaded
    # scikit-learn's own dependencies may look at dask, where it is installed
    assert loaded.isdisjoint({"prefect", "prefect_dask", "distributed", "mlflow"})
