"""The demo: a spec and a million rows to score, from data that ships with scikit-learn."""

import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import load_breast_cancer

ROWS = 1_000_000
GROUP_ROWS = 1 << 17
SPEC = """\
# Tells malignant from benign tumours by 30 measurements of cell nuclei
# (Wolberg, Street and Mangasarian, 1993).
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
NEXT_STEPS = """
Try next (`. .venv/bin/activate` in the checkout puts afterfit on your path):
  afterfit train {spec} --set 'candidates=[{{estimator: sklearn.dummy.DummyClassifier}}]'
{column}a challenger that guesses: the gates refuse it, the champion stays
  afterfit init YOUR.csv --target COLUMN  a first spec for your own table
  afterfit models | status | down       what is registered; where the servers are; stop them
"""


def write_demo(folder: Path, rows: int = ROWS) -> Path:
    """Write the two tables and the spec, each unless it exists; return the path of the spec.

    A table that is written anew would be another source, and train again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    labelled = _labelled_table()
    _write_once(labelled, folder / "breast_cancer.parquet")
    _write_once(_repeated(labelled, rows), folder / "million.parquet")

    spec = folder / "breast_cancer.yaml"
    if not spec.exists():
        spec.write_text(SPEC, encoding="utf-8")
    return spec


def _labelled_table() -> pa.Table:
    """Return the bundled rows: `sample`, the features, and `diagnosis`."""
    bundled = load_breast_cancer(as_frame=True)
    names = np.asarray(bundled.target_names)
    labels = names[bundled.target.to_numpy()]

    columns = {"sample": np.arange(len(labels))}
    for name in bundled.data:
        columns[name.replace(" ", "_")] = bundled.data[name].to_numpy()
    columns["diagnosis"] = labels.astype(object)
    return pa.table(columns)


def _repeated(labelled: pa.Table, rows: int) -> pa.Table:
    """Return the features of a table again and again, each row with a `sample` of its own."""
    samples = np.arange(rows)
    features = labelled.drop_columns(["diagnosis"])
    repeated = features.take(pa.array(samples % len(labelled)))
    return repeated.set_column(0, "sample", pa.array(samples))


def _write_once(table: pa.Table, path: Path) -> None:
    if path.exists():
        return

    unfinished = path.with_suffix(".tmp")
    pq.write_table(table, unfinished, row_group_size=GROUP_ROWS, compression="zstd")
    unfinished.rename(path)


def next_steps(spec: Path) -> list[str]:
    """List commands to try next."""
    text = NEXT_STEPS.format(spec=shlex.quote(str(spec)), column=" " * 40)
    return text.splitlines()
