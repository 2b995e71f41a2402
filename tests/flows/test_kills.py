"""Killing a scoring run at any moment costs time, never data."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.lifecycle import train_model
from tasks.core.csv_files import read_csv
from tasks.core.manifest import read_scores, verify_output
from tasks.core.sources import list_source
from tasks.core.spec_file import load_spec

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("servers")]
ROUNDS = 8
ROWS = 600_000
AFTERFIT = str(Path(sys.executable).with_name("afterfit"))
MARK = "AFTERFIT_KILL_TEST"


@pytest.fixture
def sources(sales, tmp_path):
    """The name of a champion, and two sources of 600,000 rows that differ in their ids alone."""
    spec = load_spec(sales)
    train_model(spec)
    table = read_csv(list_source(spec.data.source)[0], as_text=("id",)).drop_columns(["amount"])
    many = table.take(pa.array(np.arange(ROWS) % len(table)))
    paths = [tmp_path / "first.parquet", tmp_path / "second.parquet"]
    for letter, path in zip("ab", paths, strict=True):
        ids = pa.array([f"{letter}{number}" for number in range(ROWS)])
        pq.write_table(many.set_column(0, "id", ids), path, row_group_size=1 << 16)
    return spec.name, paths


def _start(name, source, output, workers, mark):
    command = [AFTERFIT, "score", name, str(source), str(output), "--replace"]
    command += ["--workers", "2"] if workers else []
    environment = {**os.environ, MARK: mark}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _left_over(mark):
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_a_killed_run_leaves_the_old_output_whole_and_the_same_command_finishes(sources, tmp_path):
    """Kill -9 of the flow at a random moment, eight times: old or new, always whole; no process is left over."""
    name, (first, second) = sources
    output = tmp_path / "scores"
    assert _start(name, first, output, workers=False, mark="reference").wait(120) == 0
    chance = random.Random(20)  # noqa: S311 - nobody is to be surprised but us
    now, then = first, second
    for number in range(ROUNDS):
        mark = f"{os.getpid()}-{number}"
        run = _start(name, then, output, workers=number % 2 == 1, mark=mark)
        time.sleep(chance.uniform(1.5, 9))
        run.kill()
        run.wait()
        assert verify_output(output) == []
        ids = read_scores(output)["id"]
        assert len(ids) == ROWS
        letter = ids[0].as_py()[0]
        if letter == {first: "a", second: "b"}[then]:  # it was committed before the kill
            now, then = then, now
        deadline = time.monotonic() + 30
        while _left_over(mark) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert _left_over(mark) == []
    assert _start(name, then, output, workers=False, mark="last").wait(120) == 0
    assert verify_output(output) == []
    expected = [f"{'b' if then == second else 'a'}{number}" for number in range(ROWS)]
    assert read_scores(output)["id"].to_pylist() == expected
    assert sorted(path.name for path in tmp_path.glob(".scores*")) == []
