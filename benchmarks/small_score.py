"""`afterfit score` of 1,000 rows, servers up, against the import of the libraries it stands on."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sklearn.datasets import load_breast_cancer

from benchmarks.help import AFTERFIT
from benchmarks.measure import Contest, environment

ROWS = 1_000
IMPORTS = "import prefect, sklearn.ensemble, pyarrow, mlflow, distributed"
# Above the ports that a person's own servers have; if these are taken, afterfit takes the next.
PORTS = {"AFTERFIT_PREFECT_PORT": "24200", "AFTERFIT_MLFLOW_PORT": "25500"}
# Empty is as good as unset: nobody else's servers are used.
NAMED = {"PREFECT_API_URL": "", "MLFLOW_TRACKING_URI": "", "PREFECT_PROFILES_PATH": os.devnull}
# JSON is YAML too.
SPEC = {
    "name": "small",
    "problem": "classification",
    "data": {"source": "train.csv", "target": "target"},
    "candidates": [{"estimator": "sklearn.ensemble.HistGradientBoostingClassifier", "params": {"max_iter": 30}}],
}


@contextmanager
def small_score_contest() -> Iterator[Contest]:
    """Time a small scoring run: a model is trained first, and the servers stay up until all runs are done."""
    with tempfile.TemporaryDirectory(prefix="afterfit-bench-") as made:
        folder = Path(made)
        variables = {"AFTERFIT_HOME": str(folder / "home"), **PORTS, **NAMED}
        _write_inputs(folder)
        try:
            _afterfit("train", folder / "small.yaml", variables=variables)
            yield Contest(
                measure=f"seconds of `afterfit score` of {ROWS:,} rows, servers up, over `{IMPORTS}`",
                target=1.6,
                ours=lambda turn: [AFTERFIT, "score", "small", folder / "new.csv", folder / f"scores-{turn}"],
                other=[sys.executable, "-c", IMPORTS],
                variables=variables,
            )
        finally:
            _afterfit("down", variables=variables)


def _write_inputs(folder: Path) -> None:
    table = load_breast_cancer(as_frame=True).frame
    repeated = table.drop(columns="target").iloc[[row % len(table) for row in range(ROWS)]]
    table.to_csv(folder / "train.csv", index=False)
    repeated.to_csv(folder / "new.csv", index=False)
    (folder / "small.yaml").write_text(json.dumps(SPEC), encoding="utf-8")


def _afterfit(*arguments: str | Path, variables: Mapping[str, str]) -> None:
    subprocess.run([AFTERFIT, *arguments], env=environment(variables), stdout=subprocess.DEVNULL, check=True)
