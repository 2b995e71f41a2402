"""What a crafted model does, it does to a process of its own; the command gets one sentence."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from tasks.core.errors import RequestError
from tasks.core.foreign import sandbox
from tasks.core.foreign.sandbox import MODEL, Request, read_request, try_model, write_request
from tasks.core.model.skops_file import save_pipeline
from tasks.core.tables.columns import Column

SIZE = np.linspace(0.0, 1.0, 50)
TABLE = pa.table({"size": SIZE, "y": 3 * SIZE})
FRAME = pd.DataFrame({"size": SIZE})


def hungry():
    """A model that makes 4 TB of columns for each row."""
    model = make_pipeline(PolynomialFeatures(2), Ridge()).fit(FRAME, 3 * SIZE)
    model[0].n_output_features_ = model[0]._n_out_full = 1 << 39
    return model


def test_an_honest_model_survives_and_one_that_takes_all_memory_does_not(prepare, tmp_path):
    prepared = prepare(Ridge().fit(FRAME, 3 * SIZE), "rows.parquet", TABLE)
    assert try_model(prepared.request, prepared.folder) == (Column("size", "numeric"),)

    save_pipeline(hungry(), prepared.folder / MODEL)
    with pytest.raises(RequestError, match=r"^given.skops: .*memory"):
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


def test_a_limited_process_cannot_be_made_to_take_more(tmp_path):
    """The limits hold for an array of 8 TB and for a file that never ends."""
    code = (
        "import json, sys\n"
        "from tasks.core.foreign.trial import limit_process\n"
        "limit_process(60)\n"
        "found = []\n"
        "try:\n"
        "    bytearray(1 << 33)\n"
        "except MemoryError:\n"
        "    found.append('memory')\n"
        "import signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try:\n"
        "    with open(sys.argv[1], 'wb') as file:\n"
        "        file.write(bytes(1 << 25))\n"
        "except OSError as error:\n"
        "    found.append(error.strerror)\n"
        "sys.stdout.write(json.dumps(found))\n"
    )
    command = [sys.executable, "-I", "-c", code, str(tmp_path / "large")]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(ended.stdout) == ["memory", "File too large"]
