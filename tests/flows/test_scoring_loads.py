"""Batch scoring of sources that are huge, or in very many files."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from flows.lifecycle import train_model
from flows.scoring import score_batch
from tasks.core.spec.file import load_spec

pytestmark = pytest.mark.slow
AFTERFIT = str(Path(sys.executable).with_name("afterfit"))


@pytest.fixture
def wide_champion(servers, tmp_path):
    """The name of a model of twenty numbers, x0 to x19."""
    chance = np.random.default_rng(2)
    columns = {f"x{number}": chance.normal(size=500) for number in range(20)}
    pq.write_table(
        pa.table({**columns, "amount": columns["x0"] + columns["x1"]}), tmp_path / "train.parquet"
    )
    spec = {
        "name": "wide",
        "problem": "regression",
        "data": {"source": "train.parquet", "target": "amount"},
        "candidates": [{"estimator": "sklearn.ensemble.HistGradientBoostingRegressor"}],
    }
    (tmp_path / "wide.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    return train_model(load_spec(tmp_path / "wide.yaml")).model


def _peak_bytes(*command):
    """Run a command; return its output and its peak memory.

    The peak is the most that the command, or a process of it, took.
    """
    watch = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
    watch += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    arguments = [sys.executable, "-c", watch, AFTERFIT, *map(str, command), "--json"]
    answer, peak = subprocess.run(
        arguments, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return json.loads(answer), int(peak) * (1 if sys.platform == "darwin" else 1024)


def test_one_row_group_of_five_million_rows_takes_at_most_400_mb_more_than_a_small_table(
    wide_champion, tmp_path
):
    """Its 20 columns of numbers are 800 MB: they are never in memory at once."""
    values = np.random.default_rng(1).normal(size=5_000_000).round(2)
    for name, rows in {"small": 1000, "huge": len(values)}.items():
        table = pa.table({f"x{number}": values[:rows] for number in range(20)})
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=rows)
    assert pq.read_metadata(tmp_path / "huge.parquet").num_row_groups == 1
    _, idle = _peak_bytes("score", wide_champion, tmp_path / "small.parquet", tmp_path / "small")
    answer, peak = _peak_bytes("score", wide_champion, tmp_path / "huge.parquet", tmp_path / "out")
    assert answer["rows_scored"] == 5_000_000
    assert peak - idle <= 400 * 2**20


def test_ten_thousand_tiny_files_are_scored_together(champion, rows, tmp_path, laws):
    """Each row is scored once, in few parts."""
    (tmp_path / "in").mkdir()
    for number in range(10_000):
        pq.write_table(rows(3, first_id=3 * number), tmp_path / "in" / f"{number:05d}.parquet")
    done = score_batch(champion, str(tmp_path / "in"), str(tmp_path / "out"))
    assert (done.rows_scored, done.parts) == (30_000, 1)
    laws.alone(tmp_path / "out", np.arange(30_000))
