from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import RequestError
from tasks.core.model.metadata import MODEL_NAME, describe_model
from tasks.core.model.open import open_model
from tasks.core.model.skops_file import save_pipeline
from tasks.core.model.version import ModelVersion
from tasks.core.score_columns import ScoreColumns
from tasks.core.storage.digests import folder_digest
from tasks.core.tables.columns import feature_columns
from tasks.core.tables.split import Split


@pytest.fixture
def version(tmp_path, mixed, fitted, make_spec):
    """A version of a model of the mixed table, fetched; its scores carry an id and a city."""
    folder = tmp_path / "model"
    folder.mkdir()
    pipeline = fitted("sklearn.linear_model.LogisticRegression", max_iter=1000)
    save_pipeline(pipeline, folder / MODEL_NAME)
    spec = make_spec(
        problem="classification",
        data={"source": "/in/t.parquet", "target": "y", "id": "id"},
        candidates=[{"estimator": "sklearn.linear_model.LogisticRegression"}],
        scoring={"keep": ["city"], "proba": True},
    )
    features = feature_columns(mixed.schema, [])
    describe_model(spec, features, Split("hash", ("id",))).write(folder)
    digest = folder_digest(folder)
    return ModelVersion("small", 3, digest, passed=True, promoted=True, folder=str(folder))


@pytest.fixture
def table(mixed):
    return mixed.append_column("id", pa.array([f"{row:04}" for row in range(len(mixed))]))


def test_a_model_scores_a_table_a_batch_and_a_frame_alike(version, table, tmp_path):
    model = open_model(version)
    expected = model.scorer().score(table.select(["id", *table.column_names[:-1]])).scores
    assert expected.column_names[:3] == ["id", "city", "prediction"]

    shuffled = table.select(sorted(table.column_names)).append_column("other", table["id"])
    batch = shuffled.combine_chunks().to_batches()[0]
    chunked = pa.concat_tables([shuffled.slice(0, 7), shuffled.slice(7)])
    for rows in (shuffled, batch, chunked):
        assert model.score(rows).scores.equals(expected)

    frame = shuffled.to_pandas()
    frame.to_parquet(tmp_path / "frame.parquet")
    from_file = model.score(pq.read_table(tmp_path / "frame.parquet")).scores
    for rows in (frame, frame.set_index(pd.RangeIndex(5, 5 + len(table)))):
        assert model.score(rows).scores.equals(from_file)
    assert from_file.cast(expected.schema).equals(expected)


def test_a_model_does_not_change_the_frame_it_scores(version, table):
    frame = table.to_pandas()
    before = frame.copy(deep=True)
    open_model(version).score(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_rows_that_cannot_be_scored_are_returned_with_the_reason(version, table):
    ids = pa.array([None, *table["id"].to_pylist()[1:]])
    scored = open_model(version).score(table.set_column(len(table.column_names) - 1, "id", ids))
    assert [(row, found.reason) for row, found in scored.rejections.items()] == [(0, "missing_id")]
    assert len(scored.scores) == len(table) - 1
    assert scored.rejected["reason"].to_pylist() == ["missing_id"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="number"), "the rows: column 'number' is missing"),
        (lambda frame: frame.drop(columns="id"), "the rows: column 'id' is missing"),
        (lambda frame: frame.assign(number="many"), "column 'number' is .*, the model was trained"),
        (lambda frame: frame.assign(number=[{}, *"x" * (len(frame) - 1)]), "cannot be read as a"),
        (lambda frame: pd.concat([frame, frame], axis=1), "cannot be read as a table: Duplicate"),
        (lambda frame: frame.assign(number=1j), "cannot be read as a table"),
        (lambda frame: frame.to_numpy(), "The rows are a ndarray: give an Arrow table or a pandas"),
    ],
)
def test_rows_that_are_no_table_of_the_model_are_refused_in_a_sentence(
    version, table, change, words
):
    with pytest.raises(RequestError, match=words) as refused:
        open_model(version).score(change(table.to_pandas()))
    assert "\n" not in str(refused.value)


def test_no_rows_have_no_scores_in_the_usual_columns(version, table):
    model = open_model(version)
    usual = model.score(table).scores.schema

    none = model.score(table.slice(0, 0))
    assert (none.scores.schema, len(none.scores), none.rejected) == (usual, 0, None)

    ids = pa.nulls(2, pa.string())
    position = table.column_names.index("id")
    rejected = model.score(table.slice(0, 2).set_column(position, "id", ids))
    assert (rejected.scores.schema, len(rejected.scores)) == (usual, 0)
    assert rejected.rejected["reason"].to_pylist() == ["missing_id"] * 2


def test_files_that_are_not_those_that_were_registered_are_not_opened(version):
    with pytest.raises(RequestError, match="small version 3 are not those that were registered"):
        open_model(replace(version, digest="0" * 64))


def test_other_columns_can_be_asked_for(version, table):
    scorer = open_model(version).scorer(ScoreColumns(keep=("side",)))
    scores = scorer.score(table, first_row=10).scores
    assert scores.column_names == ["row", "side", "prediction", "model_version"]
    assert scores["row"].to_pylist()[:2] == [10, 11]
    assert np.all(scores["model_version"].to_numpy() == 3)
