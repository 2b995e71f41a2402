"""What a crafted model does, it does to a process of its own; the command gets one sentence."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from tasks.core.errors import RequestError
from tasks.core.foreign import sandbox
from tasks.core.foreign.sandbox import Request, read_request, try_model, write_request
from tasks.core.tables.columns import Column

SIZE = np.linspace(0.0, 1.0, 50)
TABLE = pa.table({"size": SIZE, "y": 3 * SIZE})
FRAME = pd.DataFrame({"size": SIZE})


def hungry():
    """A model that makes 4 TB of columns for each row."""
    model = make_pipeline(PolynomialFeatures(2), Ridge()).fit(FRAME, 3 * SIZE)
    model[0].n_output_features_ = model[0]._n_out_full = 1 << 39
    return model


def test_a_model_that_takes_all_memory_is_refused_in_a_sentence(prepare):
    prepared = prepare(hungry(), "rows.parquet", TABLE)
    words = r"^given.skops: to open and try it takes more memory than its size allows"
    with pytest.raises(RequestError, match=words):
        try_model(prepared.request, prepared.folder)


def test_a_request_is_read_as_it_was_written(tmp_path):
    features = (Column("a", "numeric"), Column("b", "date"))
    request = Request("m.skops", "classification", "k", ("no", 1, True), features, (0, 7))
    write_request(request, tmp_path)
    assert read_request(tmp_path) == request


REQUEST = Request("m.skops", "regression", "y", (), (Column("a", "numeric"),), (0,))


@pytest.fixture
def python(tmp_path, monkeypatch):
    """Put a shell script in the place of the Python that tries a model."""

    def replace(script):
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        monkeypatch.setattr(sandbox.sys, "executable", str(path))

    return replace


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("kill -SEGV $$", r"crashed \(SIGSEGV\): it is damaged, do not use it"),
        ("kill -ABRT $$", r"crashed \(SIGABRT\)"),
        ("kill -KILL $$", r"crashed \(SIGKILL\)"),
        ("kill -ALRM $$", "longer than 0 seconds"),
        ("kill -XCPU $$", "longer than 0 seconds"),
        ("sleep 30", "longer than 0 seconds"),
        ("echo first; echo No module named x; exit 1", "failed: No module named x"),
        ("exit 3", "failed: it said nothing"),
        ('echo \'{"features": ["a"]}\' > answer.json; kill -SEGV $$', "SIGSEGV"),
        ('echo \'{"error": "given.skops is odd."}\' > answer.json', "^m.skops is odd.$"),
        ('echo \'{"error": "column 3 is odd."}\' > answer.json', "^m.skops: column 3 is odd.$"),
    ],
)
def test_the_end_of_the_process_is_a_sentence(tmp_path, python, monkeypatch, script, words):
    monkeypatch.setattr(sandbox, "GRACE_SECONDS", 0.5)
    python(script)
    with pytest.raises(RequestError, match=words):
        try_model(REQUEST, tmp_path, seconds=0)


def test_the_process_gets_no_keys_of_ours(tmp_path, python, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    python('env > seen.txt; echo \'{"features": ["a"]}\' > answer.json')
    assert try_model(REQUEST, tmp_path) == REQUEST.features
    seen = (tmp_path / "seen.txt").read_text()
    assert "OMP_NUM_THREADS=1" in seen
    assert "AWS" not in seen
