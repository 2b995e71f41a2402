"""What the floor and every peer do with a model: predict, in the fastest form the model takes.

Imported by scripts that run in virtual environments of their own, without afterfit.
"""

from functools import lru_cache
from typing import Any

import joblib
import numpy as np
import pyarrow as pa

Array = np.ndarray[Any, Any]


class Model:
    """A fitted pipeline, bare where that is as good.

    Preparation that only passes columns through is left out.
    """

    def __init__(self, path: str) -> None:
        """Load a pipeline from a joblib file."""
        pipeline = joblib.load(path)
        last = pipeline[-1]
        branches = pipeline["prepare"].transformers
        self.names: list[str] = list(pipeline.feature_names_in_)
        self.bare = all(step == "passthrough" for _, step, _ in branches)
        self.estimator = last if self.bare else pipeline
        # What the estimator would convert to by itself, once more: forests take 32 bits, all others
        # 64.
        self.dtype = np.float32 if hasattr(last, "estimators_") else np.float64

    def matrix(self, columns: list[Any]) -> Array:
        """Put columns into the matrix that the bare estimator works on."""
        rows = np.empty((len(columns[0]), len(columns)), self.dtype)
        for position, column in enumerate(columns):
            rows[:, position] = column
        return rows

    def probabilities(self, table: pa.Table) -> Array:
        """Return the probabilities for the rows of an Arrow table; shape (n, classes)."""
        if not self.bare:
            return self.estimator.predict_proba(table.select(self.names).to_pandas())
        columns = [table[name].to_numpy() for name in self.names]
        return self.estimator.predict_proba(self.matrix(columns))

    def columns(self, probabilities: Array) -> dict[str, Array]:
        """Name what is written: the prediction, and the probability of each class."""
        classes = self.estimator.classes_
        columns = {"prediction": classes[probabilities.argmax(axis=1)]}
        for place, label in enumerate(classes):
            columns[f"probability_{label}"] = probabilities[:, place]
        return columns

    def score(self, table: pa.Table) -> pa.Table:
        """Return the table of predictions for an Arrow table of rows."""
        columns = self.columns(self.probabilities(table))
        return pa.table({name: np.ascontiguousarray(values) for name, values in columns.items()})


@lru_cache(maxsize=1)
def load(path: str) -> Model:
    """Load a model, once in each process."""
    return Model(path)
