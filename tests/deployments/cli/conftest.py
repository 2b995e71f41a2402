"""What the tests of the command line share: the command itself, and a model that it trained."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from deployments.cli.session import QUIET

AFTERFIT = str(Path(sys.executable).with_name("afterfit"))
# What pytest's own process is given: the command must do without it.
OURS = {*QUIET, "PYTHONSAFEPATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
SPEC = {
    "name": "cli-sales",
    "problem": "regression",
    "data": {
        "source": "sales.csv",
        "target": "amount",
        "id": "id",
        "segment": "region",
        "drop": ["always"],
    },
    "candidates": [{"estimator": "sklearn.linear_model.Ridge"}],
}


def run_afterfit(*arguments, cwd=None, **variables):
    """Run the console script to its end."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    return subprocess.run(
        [AFTERFIT, *map(str, arguments)],
        cwd=cwd,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def read_answer(*arguments, exit_status=0, **settings):
    """Run a command with --json, and read the one object on its standard output."""
    done = run_afterfit(*arguments, "--json", **settings)
    assert done.returncode == exit_status, done.stderr
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def write_csv(path, rows):
    """Write rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def write_sales_files(folder):
    """Write a spec and its table: 200 rows of a number, a string, a constant and an amount."""
    chance = np.random.default_rng(3)
    sizes = chance.normal(size=200).round(3)
    regions = chance.choice(["north", "south"], 200)
    amounts = (10 * sizes + 5 * (regions == "north")).round(3)

    header = ["id", "size", "region", "always", "amount"]
    ids = [f"{number:04d}" for number in range(200)]
    constant = ["yes"] * 200
    rows = zip(ids, sizes, regions, constant, amounts, strict=True)

    write_csv(folder / "sales.csv", [header, *rows])
    write_csv(folder / "header.csv", [header])
    write_csv(folder / "empty.csv", [])

    path = folder / "sales.yaml"
    path.write_text(yaml.safe_dump(SPEC), encoding="utf-8")
    return path


def check_one_sentence(done, exit_status, words):
    """Check that a command failed with one sentence that holds the words."""
    assert done.returncode == exit_status, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("afterfit: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="session")
def afterfit():
    """A function that runs the command."""
    return run_afterfit


@pytest.fixture(scope="session")
def answer_of():
    """A function that runs a command with --json and reads its answer."""
    return read_answer


@pytest.fixture(scope="session")
def write_sales():
    """A function that writes a spec and its table into a folder."""
    return write_sales_files


@pytest.fixture(scope="session")
def assert_one_sentence():
    """A function that checks how a command failed."""
    return check_one_sentence


@pytest.fixture(scope="session")
def trained(servers, tmp_path_factory):
    """A folder in which `afterfit run sales.yaml --json` has run, and what it answered."""
    folder = tmp_path_factory.mktemp("cli")
    write_sales_files(folder)
    done = run_afterfit("run", "sales.yaml", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return SimpleNamespace(folder=folder, servers=servers, answer=answer, stderr=done.stderr)
