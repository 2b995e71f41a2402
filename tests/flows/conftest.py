"""What the fault tests share, and the laws that hold after every fault.

They share champions, sources, and commands to be killed.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tasks.core.output.manifest import QUARANTINE, read_manifest
from tasks.core.output.reading import read_scores
from tasks.core.output.verify import verify_output

AFTERFIT = str(Path(sys.executable).with_name("afterfit"))
DASK = str(Path(sys.executable).with_name("dask"))
MARK = "AFTERFIT_FAULT_TEST"  # which test started a process
PIECE_ROWS = 1 << 17
HANGS = 120  # seconds; time itself is never asserted


def make_rows(rows, first_id=0):
    """Make rows of an id, two numbers and a string; each depends on its id alone."""
    ids = np.arange(first_id, first_id + rows)
    names = pa.array(["north", "south", "west"])
    region = pa.DictionaryArray.from_arrays((ids % 3).astype("int8"), names).cast("string")
    return pa.table(
        {
            "id": ids,
            "size": (ids * 7919 % 1000) / 500 - 1,
            "count": ids * 31 % 50,
            "region": region,
        }
    )


@pytest.fixture(scope="session", autouse=True)
def _quick_ends(no_heartbeats):
    """Let every flow of these tests end without its second of waiting."""


def write_training(folder, name, estimator, **params):
    """Write a table of such rows with a target, and the spec of a model of them.

    Return the spec's path.
    """
    table = make_rows(500)
    amount = np.sin(3 * table["size"].to_numpy()) + 0.01 * table["count"].to_numpy()
    pq.write_table(table.append_column("amount", pa.array(amount)), folder / "train.parquet")
    spec = {
        "name": name,
        "problem": "regression",
        "data": {"source": "train.parquet", "target": "amount", "id": "id"},
        "candidates": [{"estimator": estimator, "params": params}],
    }
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    return folder / "spec.yaml"


@pytest.fixture(scope="session")
def make_training():
    return write_training


def train(spec):
    """Train, register and promote a model; return its name."""
    from flows.lifecycle import train_model
    from tasks.core.spec.file import load_spec

    return train_model(load_spec(spec)).model


@pytest.fixture(scope="session")
def champion(servers, tmp_path_factory):
    """The name of a quick model, which takes gaps and categories as they are."""
    estimator = "sklearn.ensemble.HistGradientBoostingRegressor"
    return train(write_training(tmp_path_factory.mktemp("quick"), "quick", estimator, max_iter=20))


@pytest.fixture(scope="session")
def slow_champion(servers, tmp_path_factory):
    """The name of a model that takes a while for a piece, which leaves time to kill something."""
    return train(
        write_training(tmp_path_factory.mktemp("slow"), "slow", "sklearn.svm.SVR", epsilon=0.15)
    )


@pytest.fixture(scope="session")
def make_source(tmp_path_factory):
    """Write a source of so many pieces; return its path and its ids.

    Its ids begin anywhere. Each source is written once in a session.
    """
    folder = tmp_path_factory.mktemp("sources")

    def make(pieces, first_id=0):
        path = folder / f"{pieces}-{first_id}.parquet"
        rows = make_rows(int(pieces * PIECE_ROWS), first_id)
        if not path.exists():
            pq.write_table(rows, path, row_group_size=PIECE_ROWS)
        return SimpleNamespace(path=path, ids=rows["id"].to_numpy())

    return make


@pytest.fixture(scope="session")
def reference(tmp_path_factory):
    """Return the parts of an undisturbed run of a model over a source.

    Every other run must end with the same parts.
    """
    folder, known = tmp_path_factory.mktemp("reference"), {}

    def parts(model, source):
        from flows.scoring import score_batch

        if (model, source.path) not in known:
            output = folder / f"{model}-{source.path.stem}"
            score_batch(model, str(source.path), str(output))
            known[model, source.path] = Laws.parts_of(output)
        return known[model, source.path]

    return parts


@pytest.fixture(scope="session")
def rows():
    return make_rows


@dataclass(frozen=True)
class Command:
    """A command that runs, and all that it starts.

    It is `afterfit score MODEL SOURCE OUTPUT --replace --json`.
    """

    process: subprocess.Popen
    output: Path
    mark: str

    def wait(self, seconds=HANGS):
        """Wait for its end; return its exit status, standard output and standard error."""
        said, complained = self.process.communicate(timeout=seconds)
        return self.process.returncode, said, complained

    def await_records(self, count):
        """Wait for so many finished parts; return whether they came before it ended."""
        return self.await_file("*/records/part-*.json", count)

    def await_file(self, pattern, count=1):
        """Wait for so many files in the staging; return whether they came before it ended."""
        staging = self.output.parent / f".{self.output.name}.afterfit-staging"
        deadline = time.monotonic() + HANGS
        while self.process.poll() is None:
            if len(list(staging.glob(pattern))) >= count:
                return True
            assert time.monotonic() < deadline, f"{pattern} did not appear"
            time.sleep(0.001)
        return False

    def processes(self):
        """List the processes of this command that are alive, itself included."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if (
                    process.environ().get(MARK) == self.mark
                    and process.status() != psutil.STATUS_ZOMBIE
                ):
                    found.append(process)
        return found

    def assert_gone(self):
        """Hold that no process of it is left over, after a while."""
        deadline = time.monotonic() + 30
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left == []


@pytest.fixture
def start():
    """Start a scoring command, marked as ours; what a failed test leaves over is killed."""
    started = []

    def start_command(model, source, output, *more, **variables):
        mark = uuid.uuid4().hex
        given = {**os.environ, MARK: mark, **variables}
        environment = {variable: value for variable, value in given.items() if value is not None}
        command = [AFTERFIT, "score", model, str(source), str(output), "--replace", "--json", *more]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(Command(process, Path(output), mark))
        return started[-1]

    yield start_command
    for command in started:
        for process in command.processes():
            process.kill()
        command.process.communicate()


@dataclass
class Laws:
    """What holds after every fault."""

    before: dict[Path, bytes] | None = None  # an earlier committed output, byte for byte

    @staticmethod
    def parts_of(output):
        """Return what the manifest says of the parts: equal for equal content."""
        return [
            (part.name, part.rows, part.sha256, part.quarantine_sha256)
            for part in read_manifest(output).parts
        ]

    @staticmethod
    def ids_of(output):
        """Return all ids of an output, scored and in quarantine, in ascending order."""
        apart = [
            pq.read_table(path, columns=["id"]) for path in (output / QUARANTINE).glob("*.parquet")
        ]
        return np.sort(
            np.concatenate([table["id"].to_numpy() for table in (read_scores(output), *apart)])
        )

    def remember(self, output):
        """Keep the bytes of an earlier output, to compare with later."""
        self.before = {path: path.read_bytes() for path in output.rglob("*.*")}

    def unchanged(self, output):
        """Hold that a run that failed has changed nothing.

        The earlier output, or none, is what it was.
        """
        assert ({path: path.read_bytes() for path in output.rglob("*.*")} or None) == self.before
        self.whole(output)

    def whole(self, output, *ids):
        """Hold that there is no output, or a complete one.

        A complete one has the ids of just one of these sets, each id once.
        """
        if output.exists():
            assert verify_output(output) == []
            found = self.ids_of(output)
            assert not ids or any(np.array_equal(found, expected) for expected in ids)

    def failed(self, ended, *words, status=1):
        """Hold that a command failed with no output and one line that says why."""
        code, said, complained = ended
        assert (code, said) == (status, ""), complained
        assert complained.startswith("afterfit: "), complained
        assert complained.count("\n") == 1, complained
        assert all(word in complained for word in words), complained

    def finished(self, ended, output, ids):
        """Hold that a command scored every row and left nothing beside a whole output.

        Return what the command printed, parsed.
        """
        assert (ended[0], ended[2]) == (0, "")
        self.alone(output, ids)
        return json.loads(ended[1])

    def alone(self, output, ids):
        """Hold that an output is whole, holds these ids, and that nothing is left beside it."""
        assert output.exists()
        self.whole(output, ids)
        assert [path.name for path in output.parent.glob(f".{output.name}.*")] == []


@pytest.fixture
def laws():
    return Laws()
