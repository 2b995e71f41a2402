"""The scripts that afterfit is measured against, and the check that they do the same work."""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.command import Command, take
from benchmarks.contest import tell
from benchmarks.models import Trained

FOLDER = Path(__file__).resolve().parent / "peers"


@dataclass(frozen=True)
class Script:
    """A script of `peers/`.

    It takes a joblib file, a folder of Parquet files, and the folder for its scores. `variables`
    hold for its workers as well.
    """

    name: str
    python: Path = Path(sys.executable)
    arguments: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    def score(self, model: Path, source: Path, output: Path) -> Command:
        """Make the command; the script finds `predictions.py` beside it, and so do its workers."""
        path = FOLDER / f"{self.name}.py"
        variables = {"PYTHONPATH": str(FOLDER), "PYTHONWARNINGS": "ignore", **dict(self.variables)}
        return Command([self.python, path, model, source, output, *self.arguments], variables)


def check_same(trained: Trained, scripts: Mapping[str, Script]) -> None:
    """Score a small table by every script: nobody is to be fast by being wrong.

    Raises:
        RuntimeError: a script predicts otherwise than afterfit, in a single bit.
    """
    expected = read_predictions(trained.scores)
    for name, script in scripts.items():
        output = trained.scores.with_name(f"scores-{name}")
        take(script.score(trained.joblib, trained.source, output))
        found = read_predictions(output)
        shutil.rmtree(output)

        if found.shape != expected.shape or found.tobytes() != expected.tobytes():
            raise RuntimeError(f"{trained.name}: {name} predicts otherwise than afterfit")
        tell(f"{trained.name}: {name} and afterfit predict {len(expected):,} rows alike")


def read_predictions(scores: Path) -> NDArray[np.float64]:
    """Read predictions and probabilities in one order, whichever they were written in.

    Shape (n, 1 + classes).
    """
    table = pq.read_table(scores)
    probabilities = [name for name in table.column_names if name.startswith("probability_")]
    names = sorted(["prediction", *probabilities])
    columns = [table[name].cast(pa.float64()).to_numpy() for name in names]

    order = np.lexsort(columns)
    return np.column_stack(columns)[order]
