"""The `afterfit` command as a person or a script starts it: the installed console script, against
real servers.
"""

import csv
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from deployments.cli.console import QUIET
from tasks.registry import versions

AFTERFIT = str(Path(sys.executable).with_name("afterfit"))
# What pytest's own process is given: the command must do without it.
OURS = {*QUIET, "PYTHONSAFEPATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens there
LIBRARIES = ("prefect", "mlflow", "sklearn", "pandas", "pyarrow", "distributed")
DUMMY = "candidates=[{estimator: sklearn.dummy.DummyRegressor}]"

SCORES = {
    "version", "output", "run_key", "rows_in", "rows_scored", "rows_quarantined", "rows_reused", "parts", "seconds",
    "reused", "notes",
}  # fmt: skip
TRAIN = {"model", "version", "alias", "promoted", "model_reused", "verdict"}


def afterfit(*arguments, cwd=None, **variables):
    """Run the console script to its end."""
    environment = {
        name: value for name, value in os.environ.items() if name not in OURS
    } | variables
    command = [AFTERFIT, *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def answer_of(done, exit_status=0):
    """Read the one JSON object on standard output of a command that ended as it should."""
    assert done.returncode == exit_status, done.stderr
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def write_sales(folder):
    """Write a spec and its table: 200 rows of a number, a text, a constant and an amount."""
    chance = np.random.default_rng(3)
    sizes, regions = chance.normal(size=200).round(3), chance.choice(["north", "south"], 200)
    header = ["id", "size", "region", "always", "amount"]
    rows = [
        [f"{number:04d}", size, region, "yes", round(10 * size + 5 * (region == "north"), 3)]
        for number, (size, region) in enumerate(zip(sizes, regions, strict=True))
    ]
    for name, content in {
        "sales.csv": [header, *rows],
        "header.csv": [header],
        "empty.csv": [],
    }.items():
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(content)
    spec = {
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
    path = folder / "sales.yaml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(servers, tmp_path_factory):
    """A folder in which `afterfit run sales.yaml --json` has trained, promoted and scored, and what
    it answered.
    """
    folder = tmp_path_factory.mktemp("cli")
    write_sales(folder)
    done = afterfit("run", "sales.yaml", "--json", cwd=folder)
    return SimpleNamespace(
        folder=folder, servers=servers, answer=answer_of(done), stderr=done.stderr
    )


def paths_in(folder):
    """List everything below a folder, hidden or not, with the content of the files."""
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def test_run_answers_with_the_keys_that_scripts_read(trained):
    """A first run gives one JSON object: the training, the scores and the page of the flow run."""
    document = trained.answer
    assert document.keys() == TRAIN | {"scores", "flow_run_url"}
    assert document["scores"].keys() == SCORES
    assert (document["model"], document["version"], document["alias"]) == (
        "cli-sales",
        1,
        "champion",
    )
    assert (document["promoted"], document["model_reused"], document["verdict"]["passed"]) == (
        True,
        False,
        True,
    )
    assert (document["scores"]["rows_in"], document["scores"]["reused"]) == (200, False)
    assert document["scores"]["output"] == str(trained.folder / "scores")
    assert document["flow_run_url"].startswith(
        f"{trained.servers.prefect_ui_url}/flow-runs/flow-run/"
    )


def test_a_person_reads_a_short_summary_with_both_urls_and_no_logs(trained):
    """Without --json, standard output is a few lines that end with the two servers, and standard
    error is empty.
    """
    done = afterfit("run", "sales.yaml", cwd=trained.folder)
    assert (done.returncode, done.stderr) == (0, "")
    first, *lines, prefect, mlflow = done.stdout.splitlines()
    assert first.startswith("cli-sales version 1 passed its gates")
    assert any(line.startswith("cli-sales version 1 scored 200 rows into ") for line in lines)
    assert prefect.startswith(f"Prefect  {trained.servers.prefect_ui_url}/flow-runs/flow-run/")
    assert mlflow == f"MLflow   {trained.servers.mlflow_url}"
    assert len(done.stdout.splitlines()) < 10
    assert trained.stderr == ""


def test_score_and_verify_answer_with_the_keys_that_scripts_read_and_damage_is_found(
    trained, tmp_path
):
    """An output verifies until a byte of it changes: then `ok` is false, the part is named, and the
    status is 1.
    """
    output = tmp_path / "out"
    document = answer_of(
        afterfit("score", "cli-sales/1", "sales.csv", output, "--json", cwd=trained.folder)
    )
    assert document.keys() == {"model"} | SCORES
    assert (document["model"], document["version"], document["output"]) == (
        "cli-sales",
        1,
        str(output),
    )
    assert (document["rows_in"], document["rows_scored"], document["rows_quarantined"]) == (
        200,
        200,
        0,
    )
    assert sorted(tmp_path.iterdir()) == [output]
    assert answer_of(afterfit("verify", output, "--json")) == {"ok": True, "problems": []}

    part = next(output.glob("part-*.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    damaged = afterfit("verify", "out", "--json", cwd=tmp_path)
    assert answer_of(damaged, exit_status=1) == {
        "ok": False,
        "problems": [f"{part.name}: its content has changed"],
    }
    assert damaged.stderr == ""


def test_rows_that_cannot_be_scored_go_to_quarantine_where_some_may(trained, tmp_path):
    """With a budget the run commits, counts them, and keeps them with the reason."""
    (tmp_path / "bad.csv").write_text(BAD_ROW, encoding="utf-8")
    command = ("score", "cli-sales/1", "bad.csv", "out", "--json")
    refused = afterfit(*command, cwd=tmp_path)
    assert_one_sentence(
        refused,
        1,
        "1 row cannot be scored, 0 may be: nothing was committed. The first is row 1 (from 0) of ",
    )
    command = (*command, "--max-bad-rows", "0.5")
    document = answer_of(afterfit(*command, cwd=tmp_path))
    assert (document["rows_in"], document["rows_scored"], document["rows_quarantined"]) == (2, 1, 1)
    assert answer_of(afterfit("verify", "out", "--json", cwd=tmp_path))["ok"] is True
    (kept,) = pq.read_table(next((tmp_path / "out" / "_quarantine").iterdir())).to_pylist()
    assert (kept["id"], kept["reason"], kept["input_row"]) == ("2", "value_of_another_type", 1)
    told = afterfit("score", "cli-sales/1", "bad.csv", "told", "--max-bad-rows", "1", cwd=tmp_path)
    assert "scored 1 row into " in told.stdout
    assert "and put 1 row into its _quarantine" in told.stdout
    assert any(
        "1 row scored by" in note and f"  {note}\n" in told.stdout for note in document["notes"]
    )


def test_a_backfill_answers_window_by_window_and_fails_where_one_fails(trained, tmp_path):
    """A dry run writes nothing; a real one scores each window once; a window without a source
    fails, alone.
    """
    write_sales(tmp_path)
    dry = answer_of(afterfit("backfill", *WINDOWED, *DAYS, "--dry-run", "--json", cwd=tmp_path))
    assert [(window["status"], window["due"], window["scores"]) for window in dry["windows"]] == [
        ("missing", True, None)
    ] * 2
    assert not (tmp_path / "out").exists()
    done = answer_of(afterfit("backfill", *WINDOWED, *DAYS, "--json", cwd=tmp_path))
    assert done.keys() == {"model", "version", "windows"}
    assert [window["scores"]["rows_scored"] for window in done["windows"]] == [200, 200]
    (tmp_path / "2026-01-03.csv").write_bytes((tmp_path / "sales.csv").read_bytes())
    dated = (
        "--set",
        "scoring.source={window:%Y-%m-%d}.csv",
        "--from",
        "2026-01-02",
        "--to",
        "2026-01-04",
    )
    failed = answer_of(
        afterfit("backfill", *WINDOWED, *dated, "--only", "all", "--json", cwd=tmp_path),
        exit_status=1,
    )
    assert [window["error"] is None for window in failed["windows"]] == [False, True]
    told = afterfit("backfill", *WINDOWED, *dated, "--dry-run", cwd=tmp_path)
    assert told.returncode == 0
    assert "2026-01-02T00:00Z/2026-01-03T00:00Z  current" in told.stdout
    later = afterfit(
        "backfill",
        *WINDOWED,
        *dated[:2],
        "--from",
        "2026-01-05",
        "--to",
        "2026-01-06",
        "--dry-run",
        cwd=tmp_path,
    )
    assert "missing  no scores yet, and nothing to read at" in later.stdout


def test_a_refused_challenger_is_promoted_only_by_force_and_rolled_back(trained, tmp_path):
    """A refusal ends with 3 from `train` and from `promote`; --force promotes, and `rollback` takes
    it back.
    """
    spec = write_sales(tmp_path)
    name = ("--set", "name=cli-refused")
    answer_of(afterfit("train", spec, *name, "--json"))
    document = answer_of(afterfit("train", spec, *name, "--set", DUMMY, "--json"), exit_status=3)
    assert document.keys() == TRAIN
    assert (document["version"], document["alias"], document["promoted"]) == (
        2,
        "challenger",
        False,
    )
    assert document["verdict"]["passed"] is False

    unforced = afterfit("promote", "cli-refused", 2)
    assert (unforced.returncode, unforced.stdout) == (3, "")
    assert (
        unforced.stderr
        == "afterfit: cli-refused version 2 was refused by its gates: add --force to promote it all the same.\n"
    )
    forced = answer_of(afterfit("promote", "cli-refused", 2, "--force", "--json"))
    assert forced == {"model": "cli-refused", "version": 2, "replaced": 1}
    back = answer_of(afterfit("rollback", "cli-refused", "--json"))
    assert back == {"model": "cli-refused", "version": 1, "replaced": 2}

    listed = answer_of(afterfit("models", "--json"))
    assert listed.keys() == {"models"}
    entry = {"name": "cli-refused", "version": 1, "aliases": {"champion": 1, "previous": 2}}
    assert entry in listed["models"]


def test_status_tells_where_the_servers_are(servers):
    """Both servers answer, with their addresses and their processes."""
    document = answer_of(afterfit("status", "--json"))
    prefect, mlflow = document.pop("prefect"), document.pop("mlflow")
    assert document == {}
    assert prefect.pop("pid") != mlflow.pop("pid")
    assert prefect == {
        "url": servers.prefect_ui_url,
        "api_url": servers.prefect_api_url,
        "running": True,
    }
    assert mlflow == {"url": servers.mlflow_url, "running": True}


def test_init_writes_a_spec_once(tmp_path):
    """A first spec lands beside the table, with the roles it guessed, and is never written over."""
    write_sales(tmp_path).unlink()
    document = answer_of(
        afterfit("init", "sales.csv", "--target", "amount", "--json", cwd=tmp_path)
    )
    assert document == {"spec": str(tmp_path / "sales.yaml")}
    written = (tmp_path / "sales.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(written)["data"] == {
        "source": "sales.csv",
        "target": "amount",
        "id": "id",
        "drop": [],
    }
    again = afterfit("init", "sales.csv", "--target", "amount", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (2, "")
    assert (tmp_path / "sales.yaml").read_text(encoding="utf-8") == written


def change(field):
    return ("train", "sales.yaml", "--set", "name=cli-mistake", "--set", field)


BAD_ROW = "id,size,region,always\n1,0.5,north,yes\n2,huge,north,yes\n"
DAYS = ("--from", "2026-01-01", "--to", "2026-01-03")
WINDOWED = (
    "sales.yaml",
    "--set",
    "scoring.window=1d",
    "--set",
    "scoring.output=out/{window:%Y-%m-%d}",
)
MISTAKES = {
    "missing spec": (("run", "missing.yaml"), 2, "There is no spec missing.yaml"),
    "spec that is no YAML": (("run", "broken.yaml"), 2, "cannot be read as YAML"),
    "typo in the spec": (change("data.tarrget=amount"), 2, "data.tarrget is not a field of the spec: known here are"),
    "value out of range": (change("gates.champion.margin=-1"), 2, "gates.champion.margin is -1"),
    "unknown estimator": (
        change("candidates.0.estimator=sklearn.linear_model.Rigde"),
        2, "did you mean sklearn.linear_model.Ridge or sklearn.linear_model.RidgeCV?\n",
    ),
    "missing data file": (change("data.source=missing.csv"), 2, "missing.csv"),
    "unknown column": (change("data.segment=regoin"), 2, "did you mean region?"),
    "target with one class": (
        ("train", "sales.yaml", "--set", "name=cli-mistake", "--set", "problem=classification", "--set", "data.drop=[]",
         "--set", "data.target=always", "--set", "candidates=[{estimator: sklearn.linear_model.LogisticRegression}]"),
        2, "'always' has one class only ('yes')",
    ),
    "table with a header only": (change("data.source=header.csv"), 2, "has 0 rows"),
    "empty table": (change("data.source=empty.csv"), 2, "empty.csv"),
    "unknown model": (("score", "nobody", "sales.csv", "out"), 2, "model 'nobody'; registered are"),
    "unknown alias": (("score", "cli-sales@best", "sales.csv", "out"), 2, "There is no alias 'best' of a model"),
    "unknown version": (("score", "cli-sales/99", "sales.csv", "out"), 2, "There is no version 99 of 'cli-sales'"),
    "budget below zero": (("score", "cli-sales", "sales.csv", "out", "--max-bad-rows", "-1"), 2, "max_bad_rows is -1"),
    "budget that is neither": (("score", "cli-sales", "sales.csv", "o", "--max-bad-rows", "1.5"), 2, "a whole number"),
    "no windows": (("backfill", "sales.yaml", *DAYS), 2, "has no windows: give scoring.window a length"),
    "window that ends first": (("backfill", *WINDOWED, "--from", "2026-01-02", "--to", "2026-01-01"), 2, "--from"),
    "window off the grid": (("backfill", *WINDOWED, "--from", "2026-01-01T05:00", "--to", "2026-01-03"), 2, "--from"),
    "run with windows": (("run", *WINDOWED), 2, "use `afterfit train SPEC`, and then `afterfit backfill SPEC"),
    "foreign folder": (("score", "cli-sales", "sales.csv", "foreign"), 2, "holds files that are no scores of afterfit"),
    "output below a file": (("score", "cli-sales", "sales.csv", "sales.csv/out"), 2, "cannot be written to"),
    "folder without manifest": (("verify", "foreign"), 2, "it has no _manifest.json"),
    "unknown option": (("run", "sales.yaml", "--jsn"), 2, "--jsn. Did you mean --json?"),
    "unknown command": (("trian",), 2, 'Unknown command "trian". Did you mean "train"?'),
    "missing argument": (("score", "cli-sales"), 2, "requires an argument"),
}  # fmt: skip


def assert_one_sentence(done, exit_status, words):
    assert (done.returncode, done.stdout) == (exit_status, ""), done.stderr
    assert done.stderr.startswith("afterfit: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_sentence_and_leaves_nothing_behind(tmp_path, mistake):
    """A wrong request ends with its status and one line on standard error; nothing is registered or
    written.
    """
    arguments, exit_status, words = MISTAKES[mistake]
    write_sales(tmp_path)
    (tmp_path / "broken.yaml").write_text("name: [", encoding="utf-8")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "notes.txt").write_text("mine", encoding="utf-8")
    models, paths = versions.list_models(), paths_in(tmp_path)
    assert_one_sentence(afterfit(*arguments, "--json", cwd=tmp_path), exit_status, words)
    assert versions.list_models() == models
    assert paths_in(tmp_path) == paths


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
@pytest.mark.usefixtures("trained")
def test_an_output_in_a_read_only_folder_is_refused(tmp_path):
    """An output that cannot be written is refused, and nothing is left in the folder."""
    write_sales(tmp_path)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = afterfit("score", "cli-sales", "sales.csv", "locked/out", cwd=tmp_path)
    assert_one_sentence(done, 2, "locked cannot be written to")
    assert list(locked.iterdir()) == []


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize(
    ("variable", "path"), [("PREFECT_API_URL", "/api"), ("MLFLOW_TRACKING_URI", "")]
)
def test_a_server_that_does_not_answer_is_named(tmp_path, variable, path):
    """A named server that is gone ends a command with 1, its address and where that was found."""
    write_sales(tmp_path)
    paths = paths_in(tmp_path)
    done = afterfit("run", "sales.yaml", cwd=tmp_path, **{variable: NOWHERE + path})
    assert_one_sentence(done, 1, f"at {NOWHERE}{path}, named by {variable}, does not answer")
    assert paths_in(tmp_path) == paths


def test_help_imports_no_library(tmp_path):
    """`afterfit --help` lists the commands without the libraries that only work needs."""
    code = (
        "import sys; from deployments.cli.main import app; app(['--help'], result_action='return_value'); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "rollback" in done.stdout
    assert not set(LIBRARIES) & set(done.stderr.split())


def test_a_folder_with_packages_of_the_same_names_does_no_harm(trained, tmp_path):
    """A `tasks.py` and a `flows/` in the current folder are never imported; on PYTHONPATH they are
    refused.
    """
    (tmp_path / "tasks.py").write_text("raise RuntimeError('a stranger')", encoding="utf-8")
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "__init__.py").write_text(
        "raise RuntimeError('a stranger')", encoding="utf-8"
    )
    document = answer_of(afterfit("train", trained.folder / "sales.yaml", "--json", cwd=tmp_path))
    assert (document["version"], document["model_reused"]) == (1, True)
    refused = afterfit("models", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert_one_sentence(refused, 2, f"Python finds another `tasks` ({tmp_path / 'tasks.py'})")


def test_the_exports_are_for_a_shell(servers):
    """What `afterfit env` prints can be evaluated by sh, whatever characters the home has in its
    name.
    """
    script = f'unset PREFECT_API_URL MLFLOW_TRACKING_URI; eval "$({shlex.quote(AFTERFIT)} env)"; '
    script += 'printf "%s\\n" "$PREFECT_API_URL" "$MLFLOW_TRACKING_URI" "$AFTERFIT_HOME"'
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    expected = [servers.prefect_api_url, servers.mlflow_url, os.environ["AFTERFIT_HOME"]]
    assert done.stdout.splitlines() == expected
