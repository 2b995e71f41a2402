"""The scorer: rows in, scores out, no I/O. Batch scoring calls it, and every later way of serving will."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.columns import Column, to_frame
from tasks.core.errors import AfterfitError, RequestError
from tasks.core.metrics import Answers
from tasks.core.models import use_one_thread
from tasks.core.threads import one_thread

ROW = "row"  # what rows are known by where the spec names no id
PREDICTION = "prediction"
VERSION = "model_version"


@dataclass(frozen=True)
class Scorer:
    """A fitted pipeline and what its scores carry.

    `id` and `keep` are columns of the input that are carried through; with `proba`, so is one probability a class.
    """

    pipeline: Any
    features: tuple[Column, ...]
    version: int
    id: str | None = None
    keep: tuple[str, ...] = ()
    proba: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns that are read: the features and what is carried through, each once."""
        return list(dict.fromkeys([*filter(None, [self.id]), *self.keep, *(column.name for column in self.features)]))

    def score(self, table: pa.Table, first_row: int = 0) -> pa.Table:
        """Score the rows of a table, of which the first is row `first_row` of the source.

        Returns:
            one row a row: the id (or the row number), the kept columns, `prediction`, `probability_<class>`,
            `model_version`.

        Raises:
            AfterfitError: the model refuses the rows, or does not answer each of them.
        """
        answers = answer(self.pipeline, table, self.features, proba=self.proba)
        names = pa.array(np.arange(first_row, first_row + len(table)))
        scores = {self.id or ROW: table[self.id] if self.id else names, **{name: table[name] for name in self.keep}}
        scores[PREDICTION] = as_arrow(answers.predictions)
        if answers.probabilities is not None:
            for position, label in enumerate(answers.classes):
                scores[probability_name(label)] = pa.array(np.ascontiguousarray(answers.probabilities[:, position]))
        scores[VERSION] = pa.array(np.full(len(table), self.version, dtype=np.int32))
        return pa.table(scores)


def answer(pipeline: Any, table: pa.Table, features: Sequence[Column], *, proba: bool) -> Answers:
    """Ask a pipeline for its predictions on one thread, and for its probabilities.

    Raises:
        AfterfitError: it raises, or its answers are not one for each row, or are not numbers.
    """
    frame = to_frame(table, features)
    try:
        pipeline = use_one_thread(pipeline)
        with one_thread():
            predictions = _one_each(np.asarray(pipeline.predict(frame)))
            probabilities = np.asarray(pipeline.predict_proba(frame), dtype=np.float64) if proba else None
    except Exception as error:  # a model is somebody's code, and may raise anything
        raise AfterfitError(f"the model cannot score these rows: {' '.join(str(error).split())}") from error
    if predictions.ndim != 1:
        raise AfterfitError(f"the model gave {predictions.shape[-1]} answers for each row: one is what can be scored")
    for answers in filter(lambda found: found is not None, [predictions, probabilities]):
        check_answers(np.asarray(answers), len(table))
    return Answers(predictions, probabilities, tuple(pipeline.classes_.tolist()) if proba else ())


def _one_each(predictions: NDArray[Any]) -> NDArray[Any]:
    """Give a column of predictions, shape (n, 1), the shape (n,) that others have."""
    return predictions[:, 0] if predictions.shape[1:] == (1,) else predictions


def check_answers(answers: NDArray[Any], rows: int) -> None:
    """Refuse answers that are not one for each row, or not all finite."""
    if len(answers) != rows:
        raise AfterfitError(f"the model gave {len(answers):,} answers for {rows:,} rows")
    if answers.dtype.kind == "f" and not np.isfinite(answers).all():
        finite = np.isfinite(answers).reshape(rows, -1).all(axis=1)
        raise AfterfitError(f"the model gave answers that are no finite numbers, first in row {np.argmin(finite)}")


def as_arrow(predictions: NDArray[Any]) -> pa.Array:
    """Make predictions an Arrow column of floats, integers, booleans or texts."""
    if predictions.dtype.kind in "OU":
        return pa.array(predictions.astype(object), pa.string())
    return pa.array(np.ascontiguousarray(predictions))


def probability_name(label: Any) -> str:
    """Name the column of a class's probability.

    >>> probability_name("spam"), probability_name(1)
    ('probability_spam', 'probability_1')
    """
    return f"probability_{label}"


def check_carried(id_column: str | None, keep: Sequence[str]) -> None:
    """Refuse carried columns whose names the scores need themselves."""
    names = [id_column or ROW, *keep]
    for name in names:
        if name in {PREDICTION, VERSION} or name.startswith("probability_") or names.count(name) > 1:
            raise RequestError(
                f"scoring.keep: column {name!r} would occur twice in the scores: take it out or rename it."
            )
