"""The scorer: rows in, scores and rejected rows out, no I/O.

Batch scoring calls it, and every later way of serving.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.errors import AfterfitError
from tasks.core.model.categories import unknown_values
from tasks.core.model.predictor import Predictor
from tasks.core.model.refusals import NO_ANSWER, Rejection, Rejections
from tasks.core.model.rejected import rejected_before, rejected_table
from tasks.core.predictions import Predictions, are_finite, check_shape
from tasks.core.score_columns import PREDICTION, ROW, VERSION, ScoreColumns, probability_name
from tasks.core.tables.carried import carry
from tasks.core.tables.columns import Column

NO_COLUMNS = ScoreColumns()
NOT_FINITE = Rejection(NO_ANSWER, "the model's answer is no finite number")


@dataclass(frozen=True)
class Scored:
    """The scores of some rows.

    `rejected` is the table of the rows that were rejected, if any; `rejections` says why, by row.
    `unknown` counts the values in no known category, by column.
    """

    scores: pa.Table
    rejected: pa.Table | None = None
    rejections: Rejections = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Scorer:
    """A predictor, the version of its model, and the columns of its scores."""

    predictor: Predictor
    version: int
    columns: ScoreColumns = NO_COLUMNS

    def score(self, table: pa.Table, first_row: int = 0) -> Scored:
        """Score the rows of a table, of which the first is row `first_row` of the source.

        Each row is either scored or rejected. Scores are the id (or the row number), the kept
        columns, `prediction`, `probability_<class>`, `model_version`; rejected rows are all columns
        read, `reason` and `detail`.

        Raises:
            AfterfitError: the model does not predict each row, or refuses very many of them, each
                for another reason.
        """
        features = self.predictor.trained_on or self.predictor.features
        rejections = rejected_before(table, self.columns.id, features)
        good, numbers = _without(table, rejections)

        predictions, refused = self._predict(good)
        if refused:
            rejections |= {int(numbers[row]): reason for row, reason in refused.items()}
            good, numbers = _without(table, rejections)

        scores = self._scores(good, numbers + first_row, predictions)
        rejected = rejected_table(table, rejections) if rejections else None
        unknown = count_unknown(good, self.predictor.categories)
        return Scored(scores, rejected, rejections, unknown)

    def _predict(self, table: pa.Table) -> tuple[Predictions, Rejections]:
        """Predict the rows that can be predicted; return why the others cannot, by row."""
        predictions, refused = self._predict_accepted(table)
        finite = are_finite(predictions)
        if finite.all():
            return predictions, refused

        accepted = _others(len(table), refused)
        rejections = refused | {int(row): NOT_FINITE for row in accepted[~finite]}
        return predictions.where(finite), rejections

    def _predict_accepted(self, table: pa.Table) -> tuple[Predictions, Rejections]:
        """Predict the rows that the model accepts."""
        if not len(table):
            return self._no_predictions(), {}

        refused: Rejections = {}
        try:
            predictions = self.predictor.predict(table, proba=self.columns.proba)
        except AfterfitError:
            refused = self.predictor.refused(table, proba=self.columns.proba)
            table, _ = _without(table, refused)
            if not len(table):
                return self._no_predictions(), refused
            predictions = self.predictor.predict(table, proba=self.columns.proba)

        check_shape(predictions, len(table))
        return predictions, refused

    def _no_predictions(self) -> Predictions:
        """Return the predictions of no row, of the type that those of a row would have."""
        labels = np.asarray(getattr(self.predictor.pipeline, "classes_", np.empty(0)))
        probabilities = np.empty((0, len(labels))) if self.columns.proba else None
        return Predictions(labels[:0], probabilities, tuple(labels.tolist()))

    def _scores(
        self, table: pa.Table, rows: NDArray[np.int64], predictions: Predictions
    ) -> pa.Table:
        """Put the scores together."""
        scores = {name: carry(table[name]) for name in self.columns.carried}
        if self.columns.id is None:
            scores = {ROW: pa.array(rows), **scores}

        scores[PREDICTION] = as_arrow(predictions.values)
        if predictions.probabilities is not None:
            for position, label in enumerate(predictions.classes):
                column = np.ascontiguousarray(predictions.probabilities[:, position])
                scores[probability_name(label)] = pa.array(column)

        scores[VERSION] = pa.array(np.full(len(table), self.version, dtype=np.int32))
        return pa.table(scores)


def columns_read(features: Sequence[Column], columns: ScoreColumns) -> list[str]:
    """Return the names of the columns that are read: those carried through, then the features.

    >>> columns_read([Column("size", "numeric")], ScoreColumns("id", ("size",)))
    ['id', 'size']
    """
    names = [*columns.carried, *(column.name for column in features)]
    return list(dict.fromkeys(names))


def _without(table: pa.Table, rejections: Rejections) -> tuple[pa.Table, NDArray[np.int64]]:
    """Return the rows that are not rejected, and their numbers, shape (n,)."""
    others = _others(len(table), rejections)
    if not rejections:
        return table, others
    return table.take(pa.array(others)), others


def _others(rows: int, rejections: Rejections) -> NDArray[np.int64]:
    """Return the numbers of the rows that are not rejected."""
    numbers = np.arange(rows)
    if not rejections:
        return numbers
    rejected = np.fromiter(rejections, dtype=np.int64, count=len(rejections))
    return np.setdiff1d(numbers, rejected)


def as_arrow(values: NDArray[Any]) -> pa.Array:
    """Return predictions as an Arrow column of floats, integers, booleans or strings."""
    if values.dtype.kind in "OU":
        return pa.array(values.astype(object), pa.string())
    return pa.array(np.ascontiguousarray(values))


def count_unknown(table: pa.Table, categories: Mapping[str, pa.Array]) -> dict[str, int]:
    """Count the values in no known category, by column; columns without any are left out.

    >>> count_unknown(pa.table({"city": ["Oslo", "Atlantis", None]}), {"city": pa.array(["Oslo"])})
    {'city': 1}
    """
    if not len(table):
        return {}

    counts: dict[str, int] = {}
    for name, known in categories.items():
        if name not in table.column_names:  # a model may make columns, and encode those
            continue
        count = pc.sum(unknown_values(table[name], known)).as_py()
        if count:
            counts[name] = int(count)
    return counts
