import hashlib
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import settings

from tasks.core.model.metadata import ModelMetadata, describe_model
from tasks.core.model.version import ModelVersion
from tasks.core.output.manifest import Manifest, Part, describe, part_name
from tasks.core.output.staging import write_table
from tasks.core.spec.spec import Spec
from tasks.core.storage.location import open_filesystem
from tasks.core.tables.columns import feature_columns
from tasks.core.tables.frames import to_frame
from tasks.core.tables.inputs import Input
from tasks.core.tables.sources import identify
from tasks.core.tables.split import Split
from tasks.core.training.candidates import make_estimator
from tasks.core.training.pipeline import build_pipeline

ROWS = 400
# The same examples every time, and no time asserted: the machine may be busy.
settings.register_profile("core", deadline=None, derandomize=True, database=None)
settings.load_profile("core")


@pytest.fixture(scope="session")
def mixed() -> pa.Table:
    """A table with a column of every kind, each with gaps."""
    chance = np.random.default_rng(7)

    def gaps(values):
        return [
            None if gap else value
            for value, gap in zip(values, chance.random(ROWS) < 0.1, strict=True)
        ]

    moments = pd.date_range("2024-01-01", periods=ROWS, freq="7h").to_pydatetime().tolist()
    return pa.table(
        {
            "number": pa.array(gaps(chance.normal(size=ROWS).tolist()), pa.float64()),
            "count": pa.array(gaps(chance.integers(0, 50, ROWS).tolist()), pa.int64()),
            "flag": pa.array(gaps((chance.random(ROWS) < 0.5).tolist()), pa.bool_()),
            "city": pa.array(
                gaps(chance.choice(["Oslo", "Windhoek", "NA", "東京"], ROWS).tolist()), pa.string()
            ),
            "side": pa.array(gaps(chance.choice(["left", "right"], ROWS).tolist()), pa.string()),
            "at": pa.array(gaps(moments), pa.timestamp("us")),
        }
    )


@pytest.fixture
def fitted(mixed):
    """Fit an estimator, with its preparation, on the mixed table."""

    def fit(name: str, **params):
        chance = np.random.default_rng(8)
        features = feature_columns(mixed.schema, [])
        estimator = make_estimator(name, params)
        signal = np.nan_to_num(mixed["number"].to_numpy()) + chance.normal(
            scale=0.1, size=len(mixed)
        )
        labels = np.asarray(["low", "middle", "high"], dtype=object)[
            np.digitize(signal, [-0.5, 0.5])
        ]
        y = labels if name.endswith(("Classifier", "LogisticRegression")) else signal
        return build_pipeline(estimator, features).fit(to_frame(mixed, features), y)

    return fit


@pytest.fixture
def write(tmp_path):
    """Write bytes, a string or a table to a file; return the source file that it is."""

    def write_file(name: str, content: bytes | str | pa.Table, **options):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pa.Table):
            pq.write_table(content, path, **options)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return identify(*open_filesystem(str(path)))[0]

    return write_file


@pytest.fixture
def settled():
    """Wait until the clock of the file systems has gone on since the last change.

    It goes by ticks: what changes twice within one has one time.
    """
    return lambda: time.sleep(0.02)


@pytest.fixture
def make_spec():
    """Make a spec from `section.field` overrides of a small one."""

    def make(**sections) -> Spec:
        document = {
            "name": "small",
            "problem": "regression",
            "data": {"source": "/in/small.csv", "target": "y"},
            "candidates": [{"estimator": "sklearn.linear_model.Ridge"}],
        }
        return Spec.model_validate({**document, **sections})

    return make


@pytest.fixture
def make_card(make_spec):
    """Make the card of a model that takes the features of a schema."""

    def make(schema: pa.Schema, **sections) -> ModelMetadata:
        spec = make_spec(**sections)
        left_out = {*filter(None, [spec.data.target, spec.data.id]), *spec.data.drop}
        return describe_model(spec, feature_columns(schema, left_out), Split("hash", ("id",)))

    return make


@pytest.fixture
def model() -> ModelVersion:
    return ModelVersion("small", 3, "d" * 64, passed=True, promoted=True)


@pytest.fixture
def write_output():
    """Write the parts of an output with one model version throughout.

    Return its manifest, which is not written yet.
    """

    def write_parts(folder: Path, version: int, part_rows=(5, 3)) -> Manifest:
        folder.mkdir(parents=True, exist_ok=True)
        key = hashlib.sha256(str(version).encode()).hexdigest()
        parts, start = [], 0
        for number, rows in enumerate(part_rows):
            table = pa.table(
                {
                    "row": pa.array(range(start, start + rows)),
                    "model_version": pa.array([version] * rows, pa.int32()),
                }
            )
            size, sha256 = write_table(table, str(folder / part_name(key, number)))
            parts.append(Part(part_name(key, number), rows, size, sha256, ((0, start, rows),)))
            start += rows
        source = Input("/in/a.parquet", 10, "1", "f" * 64, "sha256:" + "c" * 64)
        return Manifest(
            "small",
            version,
            "d" * 64,
            key,
            "i" * 64,
            (source,),
            tuple(parts),
            describe(table.schema),
            start,
            start,
            0,
            "flow-run",
            1,
        )

    return write_parts
