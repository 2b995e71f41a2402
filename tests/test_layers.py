"""The import contract: who may import whom, without exceptions."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for package in ("deployments", "flows", "tasks") for path in (ROOT / package).rglob("*.py"))
LAYERS = ("tasks.core", "tasks.store", "tasks", "flows", "deployments")  # from the bottom to the top
MAY_IMPORT = {
    "tasks.core": {"tasks.core"},
    "tasks.store": {"tasks.store", "tasks.core"},
    "tasks": {"tasks", "tasks.store", "tasks.core"},
    "flows": {"flows", "tasks", "tasks.store", "tasks.core"},
    "deployments": set(LAYERS),
}
DASK = {"dask", "distributed", "prefect_dask"}
FORBIDDEN = {
    "tasks.core": {"prefect", "mlflow", *DASK},
    "tasks.store": {"prefect", *DASK},
    "tasks": {"mlflow", *DASK},
    "flows": {"mlflow", "sklearn", "pandas", *DASK},
    "deployments": {"mlflow", *DASK},
}
EXEMPT = {
    **dict.fromkeys(("flows.runner", "flows.dask_runner", "flows.clusters", "tasks.remote", "tasks.reach"), DASK),
    "tasks.store": {"mlflow"},
}
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}


def layer_of(module):
    return next((layer for layer in LAYERS if module == layer or module.startswith(f"{layer}.")), None)


def imports(tree, package):
    """Name every module that is imported anywhere in a file, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            yield from (
                f"{origin}.{alias.name}" if f"{origin}.{alias.name}" in MODULES else origin for alias in node.names
            )


def breaches(module, source, package):
    """List the imports of a module that the contract does not allow."""
    layer = layer_of(module)
    forbidden = FORBIDDEN[layer] - EXEMPT.get(module, set())
    for imported in imports(ast.parse(source), package):
        own = layer_of(imported)
        allowed = own in MAY_IMPORT[layer] if own else imported.partition(".")[0] not in forbidden
        if not allowed:
            yield f"{module} imports {imported}"


def package_of(module):
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_only(module):
    assert list(breaches(module, MODULES[module].read_text(encoding="utf-8"), package_of(module))) == []


@pytest.mark.parametrize(
    ("module", "source", "allowed"),
    [
        ("tasks.core.spec", "from tasks.core import errors", True),
        ("tasks.core.spec", "from tasks import store", False),
        ("tasks.core.spec", "def f():\n    import prefect.logging", False),
        ("tasks.core.spec", "from ..store import find_version", False),
        ("tasks.core.spec", "import flows.scoring", False),
        ("tasks.store", "import mlflow.sklearn", True),
        ("tasks.store", "from tasks.fit import Fitted", False),
        ("tasks.fit", "from tasks import store", True),
        ("tasks.fit", "from mlflow import MlflowClient", False),
        ("tasks.fit", "import flows", False),
        ("flows.runner", "from prefect_dask import DaskTaskRunner", True),
        ("flows.runner", "import pandas", False),
        ("flows.scoring", "import distributed", False),
        ("flows.scoring", "from sklearn.base import clone", False),
        ("flows.scoring", "from deployments.local import up", False),
        ("deployments.cli", "import flows.scoring", True),
    ],
)
def test_the_contract_tells_what_is_allowed_from_what_is_not(module, source, allowed):
    """A contract that finds nothing could as well be broken itself."""
    assert (list(breaches(module, source, package_of(module))) == []) is allowed


@pytest.mark.parametrize("module", MODULES)
def test_nothing_prints(module):
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert [call.lineno for call in calls if isinstance(call, ast.Name) and call.id == "print"] == []


def test_the_core_knows_no_framework():
    """Not even through what it imports: in a process that has imported all of it, there is none."""
    core = [module for module in MODULES if layer_of(module) == "tasks.core"]
    code = (
        "import importlib, sys\n"
        f"for name in {core!r}: importlib.import_module(name)\n"
        "sys.stdout.write(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    found = subprocess.run([sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert "sklearn" in found.stdout.split()
    # scikit-learn's own dependencies may look at dask, where it is installed
    assert {"prefect", "prefect_dask", "distributed", "mlflow"} & set(found.stdout.split()) == set()
