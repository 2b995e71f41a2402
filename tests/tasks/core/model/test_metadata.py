import json
import re

import pyarrow as pa
import pytest

from tasks.core.dates import DateParts
from tasks.core.errors import RequestError
from tasks.core.model.metadata import (
    FORMAT_VERSION,
    METADATA_NAME,
    check_scikit_learn,
    parse_metadata,
    scikit_learn_version,
)
from tasks.core.model.skops_file import TRUSTED
from tasks.core.score_columns import ScoreColumns
from tasks.core.tables.columns import Column
from tasks.core.tables.split import Split

SCHEMA = pa.schema(
    [("id", pa.string()), ("n", pa.float64()), ("city", pa.string()), ("y", pa.float64())]
)
# What version 0.1.0 has stored, before formats had numbers; a field that later specs lack is in it.
FIRST_FORMAT = {
    "spec": {
        "name": "bike",
        "problem": "regression",
        "data": {
            "source": "/in/hour.parquet", "target": "cnt", "id": "instant", "time": None,
            "segment": None, "drop": ["casual"],
        },
        "candidates": [{"estimator": "sklearn.linear_model.Gone", "params": {"alpha": -1}}],
        "gates": {"champion": {"metric": "a metric that is gone"}},
        "scoring": {
            "source": "/in", "output": "/out", "window": None, "on_existing": "replace",
            "proba": False, "keep": ["season"], "max_bad_rows": 0.01, "a field that is gone": 1,
        },
    },
    "features": [{"name": "temp", "kind": "numeric"}, {"name": "dteday", "kind": "date"}],
    "split": {"by": "hash", "columns": ["instant"], "cutoff": ""},
    "scikit_learn": scikit_learn_version(),
    "width": 7,
}  # fmt: skip


def write(folder, document):
    (folder / METADATA_NAME).write_text(json.dumps(document), encoding="utf-8")


def read_metadata(folder):
    path = folder / METADATA_NAME
    return parse_metadata(path.read_bytes() if path.exists() else None, "bike version 1")


def test_the_metadata_of_a_model_survive_their_file(tmp_path, make_card):
    metadata = make_card(
        SCHEMA,
        data={"source": "/in/t.csv", "target": "y", "id": "id", "drop": ["z"]},
        gates={"limits": {"mae": {"max": 1}}, "champion": {"metric": "rmse"}},
        candidates=[{"estimator": "sklearn.linear_model.Ridge", "params": {"alpha": 2.0}}],
        scoring={"keep": ["city"], "max_bad_rows": 3},
    )
    metadata.write(tmp_path)
    assert read_metadata(tmp_path) == metadata
    assert metadata.columns == ScoreColumns("id", ("city",), proba=False)
    assert (metadata.target, metadata.dropped, metadata.max_bad_rows) == ("y", ("z",), 3)


def test_a_version_of_the_first_format_is_scorable_whatever_its_spec_would_be_today(tmp_path):
    write(tmp_path, FIRST_FORMAT)
    metadata = read_metadata(tmp_path)
    assert metadata.columns == ScoreColumns("instant", ("season",), proba=False)
    assert (metadata.problem, metadata.target, metadata.dropped) == (
        "regression",
        "cnt",
        ("casual",),
    )
    assert metadata.features == (Column("temp", "numeric"), Column("dteday", "date"))
    assert metadata.split == Split("hash", ("instant",))
    assert (metadata.max_bad_rows, metadata.width) == (0.01, 7)


def test_the_one_class_of_ours_in_stored_models_keeps_its_place():
    """Stored models name it: a model with dates could not be loaded from anywhere else."""
    ours = [name for name in TRUSTED if name.startswith("tasks.")]
    assert ours == [f"{DateParts.__module__}.{DateParts.__qualname__}"]
    assert ours == ["tasks.core.dates.DateParts"]


def test_a_stricter_spec_makes_no_stored_version_unscorable(tmp_path, make_card):
    """Nothing reads the stored spec again, so no check of it can refuse a version."""
    metadata = make_card(SCHEMA)
    metadata.write(tmp_path)
    document = json.loads((tmp_path / METADATA_NAME).read_text(encoding="utf-8"))
    document["spec"] = {"name": "no spec of today", "problem": None, "data": "unreadable"}
    write(tmp_path, document)
    found = read_metadata(tmp_path)
    assert (found.columns, found.features) == (metadata.columns, metadata.features)


@pytest.mark.parametrize("number", [FORMAT_VERSION + 1, 0, None, "2", []])
def test_metadata_of_an_unknown_format_are_refused_in_a_sentence(tmp_path, number):
    write(tmp_path, {"format_version": number, "features": []})
    words = rf"is of format {re.escape(str(number))}, this version of afterfit reads .* 1 and 2: "
    with pytest.raises(RequestError, match=words):
        read_metadata(tmp_path)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"format_version": 2},
        {**FIRST_FORMAT, "spec": {}},
        {**FIRST_FORMAT, "features": [{"nome": "temp"}]},
        {**FIRST_FORMAT, "scikit_learn": 1.9},
    ],
)
def test_damaged_metadata_are_refused_in_a_sentence(tmp_path, document):
    write(tmp_path, document)
    with pytest.raises(RequestError) as refused:
        read_metadata(tmp_path)
    assert "\n" not in str(refused.value)


def test_metadata_that_are_no_json_are_refused_in_a_sentence(tmp_path):
    (tmp_path / METADATA_NAME).write_text("{", encoding="utf-8")
    with pytest.raises(RequestError, match=r"afterfit\.json is damaged"):
        read_metadata(tmp_path)


def test_a_model_without_metadata_is_refused(tmp_path):
    with pytest.raises(
        RequestError, match="not registered by afterfit: bring it in with `afterfit register`"
    ):
        read_metadata(tmp_path)


@pytest.mark.parametrize(
    ("made_with", "installed", "same"),
    [
        ("1.9.0", "1.9.1", True),
        ("1.9.1", "1.9.1", True),
        ("1.8.2", "1.9.0", False),
        ("1.10.0", "1.1.0", False),
        ("2.9.0", "1.9.0", False),
    ],
)
def test_a_model_of_another_minor_version_is_refused_with_the_remedy(made_with, installed, same):
    if same:
        assert check_scikit_learn(made_with, installed) is None
        return
    with pytest.raises(
        RequestError,
        match=f"made with scikit-learn {made_with}, installed is {installed}: train it",
    ):
        check_scikit_learn(made_with, installed)
