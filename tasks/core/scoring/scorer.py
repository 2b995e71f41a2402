"""The scorer: rows in, scores and rejected rows out, no I/O. Batch scoring calls it, and every
later way of serving.
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
from tasks.core.predictions import Predictions, are_finite, check_shape
from tasks.core.score_columns import PREDICTION, ROW, VERSION, probability_name
from tasks.core.scoring.rejected import rejected_before, rejected_table
from tasks.core.tables.columns import Column


@dataclass(frozen=True)
class Scored:
    """The scores of some rows; the rows that were rejected, if any; and unknown categories, counted
    by column.
    """

    scores: pa.Table
    rejected: pa.Table | None = None
    rejections: Rejections = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Scorer:
    """A predictor and what its scores carry.

    `id` and `keep` are columns of the input that are carried through; with `proba`, so is one
    probability a class.
    """

    predictor: Predictor
    version: int
    id: str | None = None
    keep: tuple[str, ...] = ()
    proba: bool = False

    def score(self, table: pa.Table, first_row: int = 0) -> Scored:
        """Score the rows of a table, of which the first is row `first_row` of the source.

        Each row is either scored or rejected. Scores are the id (or the row number), the kept
        columns, `prediction`, `probability_<class>`, `model_version`; rejected rows are all columns
        read, `reason` and `detail`.

        Raises:
            AfterfitError: the model does not answer each row, or refuses nearly all of them one by
                one.
        """
        rejections = rejected_before(table, self.id)
        good, numbers = _without(table, rejections)
        predictions, refused = self._predict(good)
        rejections |= {int(numbers[row]): why for row, why in refused.items()}
        if refused:
            good, numbers = _without(table, rejections)
        scores = self._scores(good, numbers + first_row, predictions)
        rejected = rejected_table(table, rejections) if rejections else None
        return Scored(scores, rejected, rejections, count_unknown(good, self.predictor.categories))

    def _predict(self, table: pa.Table) -> tuple[Predictions | None, Rejections]:
        """Answer the rows that can be answered; tell of the others why not."""
        if not len(table):
            return None, {}
        refused: Rejections = {}
        try:
            predictions = self.predictor.predict(table, proba=self.proba)
        except AfterfitError:
            refused = self.predictor.refused(table, proba=self.proba)
            table, _ = _without(table, refused)
            if not len(table):
                return None, refused
            predictions = self.predictor.predict(table, proba=self.proba)
        check_shape(predictions, len(table))
        finite = are_finite(predictions)
        if finite.all():
            return predictions, refused
        kept = np.setdiff1d(
            np.arange(len(table) + len(refused)), np.fromiter(refused, dtype=np.int64)
        )
        odd = {
            int(row): Rejection(NO_ANSWER, "the model's answer is no finite number")
            for row in kept[~finite]
        }
        return (predictions.where(finite) if finite.any() else None), refused | odd

    def _scores(
        self, table: pa.Table, rows: NDArray[np.int64], predictions: Predictions | None
    ) -> pa.Table:
        """Put the scores of a table together; without any answer, there is no row and no column."""
        if predictions is None:
            return pa.table({})
        scores = {
            self.id or ROW: table[self.id] if self.id else pa.array(rows),
            **{n: table[n] for n in self.keep},
        }
        scores[PREDICTION] = as_arrow(predictions.values)
        if predictions.probabilities is not None:
            for position, label in enumerate(predictions.classes):
                scores[probability_name(label)] = pa.array(
                    np.ascontiguousarray(predictions.probabilities[:, position])
                )
        scores[VERSION] = pa.array(np.full(len(table), self.version, dtype=np.int32))
        return pa.table(scores)


def columns_read(
    features: Sequence[Column], id_column: str | None, keep: Sequence[str]
) -> list[str]:
    """Name the columns that are read: what is carried through and the features, each once."""
    return list(
        dict.fromkeys([*filter(None, [id_column]), *keep, *(column.name for column in features)])
    )


def _without(table: pa.Table, rejections: Rejections) -> tuple[pa.Table, NDArray[np.int64]]:
    """Leave the rejected rows out; give the numbers of those that stay."""
    numbers = np.arange(len(table))
    if not rejections:
        return table, numbers
    stay = np.setdiff1d(numbers, np.fromiter(rejections, dtype=np.int64, count=len(rejections)))
    return table.take(pa.array(stay)), stay


def as_arrow(predictions: NDArray[Any]) -> pa.Array:
    """Make predictions an Arrow column of floats, integers, booleans or texts."""
    if predictions.dtype.kind in "OU":
        return pa.array(predictions.astype(object), pa.string())
    return pa.array(np.ascontiguousarray(predictions))


def count_unknown(table: pa.Table, categories: Mapping[str, pa.Array]) -> dict[str, int]:
    """Count the values that are in no category the model knows, by column; columns without any are
    left out.

    >>> count_unknown(pa.table({"city": ["Oslo", "Atlantis", None]}), {"city": pa.array(["Oslo"])})
    {'city': 1}
    """
    read = (
        set(table.column_names) if len(table) else set()
    )  # a model may make columns, and encode those
    counts = {
        name: int(pc.sum(unknown_values(table[name], known)).as_py() or 0)
        for name, known in categories.items()
        if name in read
    }
    return {name: count for name, count in counts.items() if count}
