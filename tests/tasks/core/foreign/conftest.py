from types import SimpleNamespace

import pytest

from tasks.core.foreign import trial
from tasks.core.foreign.prepare import prepare_trial
from tasks.core.foreign.sandbox import MODEL
from tasks.core.model.skops_file import save_pipeline
from tasks.core.tables.columns import feature_columns
from tasks.core.tables.csv_files import read_csv
from tasks.core.tables.parquet import read_parquet


@pytest.fixture
def prepare(write, tmp_path, make_spec):
    """Write a source and the trial of a model on it; return its request and its folder."""

    def prepare_one(model, name, content, target="y", problem="regression", dropped=()):
        candidate = {
            "regression": "sklearn.linear_model.Ridge",
            "classification": "sklearn.linear_model.LogisticRegression",
        }[problem]
        file = write(name, content)
        spec = make_spec(
            problem=problem,
            data={"source": file.path, "target": target, "drop": list(dropped)},
            candidates=[{"estimator": candidate}],
        )
        table = read_csv(file) if file.format == "csv" else read_parquet(file.path, file.revision)
        folder = tmp_path / "trial"
        folder.mkdir()
        save_pipeline(model, folder / MODEL)

        features = feature_columns(table.schema, {target, *dropped})
        request = prepare_trial("given.skops", spec, [file], table, features, folder)
        return SimpleNamespace(request=request, folder=folder)

    return prepare_one


@pytest.fixture
def tried(prepare):
    """Try a model on a source, in this process; return the names of its columns in its order."""

    def try_one(*args, **options):
        prepared = prepare(*args, **options)
        return [column.name for column in trial.run(prepared.request, prepared.folder)]

    return try_one
