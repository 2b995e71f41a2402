"""`afterfit score` of 1,000 rows, servers up, against the import of the libraries it stands on."""

import json
import sys
from pathlib import Path

from sklearn.datasets import load_breast_cancer

from benchmarks.command import Command, take
from benchmarks.contest import Contest, hold
from benchmarks.help import RUNS
from benchmarks.result import Result, at_most, compare
from benchmarks.scoring import peak, seconds_of
from benchmarks.workshop import Workshop

ROWS = 1_000
IMPORTS = "import prefect, sklearn.ensemble, pyarrow, mlflow, distributed"
# JSON is YAML too.
SPEC = {
    "name": "small",
    "problem": "classification",
    "data": {"source": "train.csv", "target": "target"},
    "candidates": [
        {"estimator": "sklearn.ensemble.HistGradientBoostingClassifier", "params": {"max_iter": 30}}
    ],
}


def small_score(workshop: Workshop) -> list[Result]:
    """Measure a small scoring run, which is mostly its start."""
    home = workshop.home
    folder = workshop.scratch / "small"
    write_inputs(folder)
    take(home.afterfit("train", folder / "small.yaml"))

    commands = {
        "afterfit": lambda output: home.afterfit("score", "small", folder / "new.csv", output),
        "import": lambda _output: Command([sys.executable, "-c", IMPORTS]),
    }
    contest = Contest(commands, workshop.scratch / "out", warm_up=True, label="small_score")
    taken = hold(contest, workshop.runs or RUNS)

    mine = seconds_of(taken["afterfit"])
    other = seconds_of(taken["import"])
    title = f"`afterfit score` of {ROWS:,} rows, servers up: seconds over `{IMPORTS}`"
    return [compare("small_score", title, "s", mine, other, at_most(1.6), peak(taken["afterfit"]))]


def write_inputs(folder: Path) -> None:
    """Write a spec, a table to train on, and one to score."""
    folder.mkdir(parents=True, exist_ok=True)
    table = load_breast_cancer(as_frame=True).frame
    repeated = [row % len(table) for row in range(ROWS)]
    new = table.drop(columns="target").iloc[repeated]

    table.to_csv(folder / "train.csv", index=False)
    new.to_csv(folder / "new.csv", index=False)
    (folder / "small.yaml").write_text(json.dumps(SPEC), encoding="utf-8")
