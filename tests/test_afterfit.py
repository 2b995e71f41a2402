"""The public face: what is there, what it costs, and that it is what the commands use."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import afterfit

LIGHT = ["read_scores", "verify_output", "AfterfitError", "RequestError", "GateError", "WorkerLost"]


def test_the_public_names_are_these():
    assert sorted(afterfit.__all__) == sorted(dir(afterfit))
    assert set(afterfit.__all__) == {
        "read_scores", "verify_output", "open_model", "Spec", "load_spec", "run_lifecycle",
        "train_model", "score_batch", "backfill_scores", "promote_version", "rollback_version",
        "make_runner", "AfterfitError", "RequestError", "GateError", "WorkerLost",
    }  # fmt: skip


@pytest.mark.parametrize("name", afterfit.__all__)
def test_each_public_name_is_found_and_explains_itself(name):
    assert getattr(afterfit, name).__doc__


def test_type_checkers_see_the_names_that_a_program_finds():
    tree = ast.parse(Path(afterfit.__file__).read_text(encoding="utf-8"))
    (checked,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.asname or alias.name: f"{line.module}:{alias.name}"
        for line in checked.body
        for alias in line.names
    }
    assert seen == afterfit._PLACES


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="module 'afterfit' has no attribute 'read_score'"):
        afterfit.read_score  # noqa: B018 - it is the look-up that fails


@pytest.mark.parametrize("name", LIGHT)
def test_what_reads_outputs_does_not_wait_for_the_frameworks(name):
    code = f"import sys; from afterfit import {name}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {module.partition(".")[0] for module in run.stdout.split()}
    assert loaded & {"prefect", "mlflow", "distributed", "sklearn"} == set()


def test_a_model_in_a_notebook_scores_as_the_command_does(servers, sales, tmp_path, monkeypatch):
    spec = afterfit.load_spec(sales)
    name = afterfit.train_model(spec).model
    table = afterfit.open_model(name).metadata  # what the model takes
    rows = pd.read_csv(spec.data.source, dtype={"id": "str"}, parse_dates=["day"])
    pq.write_table(as_table(rows), tmp_path / "rows.parquet")

    afterfit.score_batch(name, str(tmp_path / "rows.parquet"), str(tmp_path / "out"))
    scores = afterfit.read_scores(tmp_path / "out")
    assert afterfit.verify_output(tmp_path / "out") == []

    assert table.columns.id == "id"
    for model in (name, f"{name}@champion", f"{name}/1"):
        assert afterfit.open_model(model).score(rows).scores.equals(scores)

    monkeypatch.delenv("MLFLOW_TRACKING_URI")  # then it is the embedded server that is asked
    assert afterfit.open_model(name).score(as_table(rows)).scores.equals(scores)
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_a_model_that_is_not_registered_is_named(servers):
    with pytest.raises(afterfit.RequestError, match="no alias 'champion' of a model 'nobody'"):
        afterfit.open_model("nobody")


def as_table(rows):
    return pa.Table.from_pandas(rows, preserve_index=False)
