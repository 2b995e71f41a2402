"""What the floor and every peer do with a model: the same answers, in the fastest form the model
takes.

Imported by scripts that run in virtual environments of their own, without afterfit.
"""

from functools import lru_cache
from typing import Any

import joblib
import numpy as np
import pyarrow as pa


class Model:
    """A fitted pipeline, bare where that is as good: preparation that only passes columns through
    is left out.
    """

    def __init__(self, path: str) -> None:
        """Load a pipeline from a joblib file."""
        pipeline = joblib.load(path)
        self.names: list[str] = list(pipeline.feature_names_in_)
        self.bare = all(step == "passthrough" for _, step, _ in pipeline["prepare"].transformers)
        self.estimator = pipeline[-1] if self.bare else pipeline
        # What the estimator would convert to by itself, once more: forests take 32 bits, all others
        # 64.
        self.dtype = np.float32 if hasattr(pipeline[-1], "estimators_") else np.float64

    def matrix(self, columns: list[Any]) -> np.ndarray[Any, Any]:
        """Put columns into the matrix that the bare estimator works on."""
        rows = np.empty((len(columns[0]), len(columns)), self.dtype)
        for position, column in enumerate(columns):
            rows[:, position] = column
        return rows

    def probabilities(self, table: pa.Table) -> np.ndarray[Any, Any]:
        """Answer the rows of an Arrow table; shape (n, classes)."""
        if self.bare:
            return self.estimator.predict_proba(
                self.matrix([table[name].to_numpy() for name in self.names])
            )
        return self.estimator.predict_proba(table.select(self.names).to_pandas())

    def columns(self, probabilities: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
        """Name what is written: the prediction, and the probability of each class."""
        classes = self.estimator.classes_
        named = {
            f"probability_{label}": probabilities[:, place] for place, label in enumerate(classes)
        }
        return {"prediction": classes[probabilities.argmax(axis=1)], **named}

    def score(self, table: pa.Table) -> pa.Table:
        """Give the table of answers to an Arrow table of rows."""
        return pa.table(
            {
                name: np.ascontiguousarray(c)
                for name, c in self.columns(self.probabilities(table)).items()
            }
        )


@lru_cache(maxsize=1)
def load(path: str) -> Model:
    """Load a model, once in each process."""
    return Model(path)
