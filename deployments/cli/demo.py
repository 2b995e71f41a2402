"""The demo: a spec and a million rows to score, from the breast cancer data that ships with
scikit-learn.
"""

import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 1_000_000
GROUP_ROWS = 1 << 17
SPEC = """\
# Tells malignant from benign tumours by 30 measurements of cell nuclei (Wolberg, Street and Mangasarian, 1993).
name: breast-cancer
problem: classification
data:
  source: breast_cancer.parquet
  target: diagnosis
  id: sample
candidates:                      # fitted side by side; the best one is judged
  - estimator: sklearn.ensemble.HistGradientBoostingClassifier
  - estimator: sklearn.ensemble.RandomForestClassifier
    params: {n_estimators: 200}
  - estimator: sklearn.linear_model.LogisticRegression
    params: {max_iter: 1000}
gates:
  limits: {accuracy: {min: 0.9}}
scoring:
  source: million.parquet        # the same rows, repeated
  output: scores
  proba: true
"""


def write_demo(folder: Path) -> Path:
    """Write the two tables and the spec, those that are not there yet; give the path of the spec.

    The tables are written once only: a file that is written anew would be another source, and train
    again.
    """
    from sklearn.datasets import load_breast_cancer

    folder.mkdir(parents=True, exist_ok=True)
    bundled = load_breast_cancer(as_frame=True)
    labels = np.asarray(bundled.target_names)[bundled.target.to_numpy()]
    columns = {name.replace(" ", "_"): bundled.data[name].to_numpy() for name in bundled.data}
    table = pa.table(
        {"sample": np.arange(len(labels)), **columns, "diagnosis": labels.astype(object)}
    )
    rows = np.arange(ROWS)
    million = table.drop_columns(["diagnosis"]).take(pa.array(rows % len(table)))
    _write(table, folder / "breast_cancer.parquet")
    _write(million.set_column(0, "sample", pa.array(rows)), folder / "million.parquet")
    spec = folder / "breast_cancer.yaml"
    if not spec.exists():
        spec.write_text(SPEC, encoding="utf-8")
    return spec


def _write(table: pa.Table, path: Path) -> None:
    if path.exists():
        return
    unfinished = path.with_suffix(".tmp")
    pq.write_table(table, unfinished, row_group_size=GROUP_ROWS, compression="zstd")
    unfinished.rename(path)


def next_steps(spec: Path) -> list[str]:
    """List commands to try next."""
    path = shlex.quote(str(spec))
    return [
        "",
        "Try next (`. .venv/bin/activate` in the checkout puts afterfit on your path):",
        f"  afterfit train {path} --set 'candidates=[{{estimator: sklearn.dummy.DummyClassifier}}]'",
        "                                        a challenger that guesses: the gates refuse it, the champion stays",
        "  afterfit init YOUR.csv --target COLUMN  a first spec for your own table",
        "  afterfit models | status | down       what is registered; where the servers are; stop them",
    ]
