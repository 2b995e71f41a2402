"""The predictor: a fitted pipeline, and the fastest way that predictions exactly as it does."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.errors import AfterfitError
from tasks.core.model.categories import known_categories
from tasks.core.model.refusals import Rejections, find_refused
from tasks.core.model.shortcuts import bypass_copies
from tasks.core.model.steps import last_step, plain_columns, preparation_of
from tasks.core.model.threads import one_thread, use_one_thread
from tasks.core.predictions import Predictions
from tasks.core.tables.columns import Column
from tasks.core.tables.frames import to_frame, to_numbers

if TYPE_CHECKING:
    from tasks.core.model.trees.kernel import Kernel

LIBRARY = "scikit-learn"
KERNEL = "tree kernel"
KERNEL_ROWS = 200_000  # below it, loading the kernel's compiled code takes longer than it saves
CHECKED_ROWS = 4096  # answered twice before the kernel is trusted with the rest
# The method that both `predict` and `predict_proba` of a classifier call, and do little more.
SHARED_METHODS = {
    "sklearn.ExtraTreesClassifier": "predict_proba",
    "sklearn.HistGradientBoostingClassifier": "_raw_predict",
    "sklearn.LogisticRegression": "decision_function",
    "sklearn.RandomForestClassifier": "predict_proba",
}


@dataclass(frozen=True)
class Predictor:
    """Predictions as a fitted pipeline does, to the last bit.

    Where there is a `kernel`, it runs the trees of the last step in scikit-learn's place. `plain`
    names the columns that last step takes, where everything before it only puts columns in order:
    these go to it without a row matrix. `note` says why scikit-learn itself predicts. `trained_on`
    are the features of the model, where it selects those that the pipeline here takes. `categories`
    are those the model knows, by column, and `strict` those beside which it takes no other.
    """

    pipeline: Any
    features: tuple[Column, ...]
    kernel: "Kernel | None" = None
    plain: tuple[str, ...] | None = None
    note: str = ""
    trained_on: tuple[Column, ...] = ()
    categories: Mapping[str, pa.Array] = field(default_factory=dict)
    strict: Mapping[str, pa.Array] = field(default_factory=dict)

    @property
    def scored_by(self) -> str:
        """Name what predictions."""
        return KERNEL if self.kernel else LIBRARY

    def predict(self, table: pa.Table, *, proba: bool) -> Predictions:
        """Give predictions, shape (n,), and probabilities, shape (n, classes), on one thread.

        Raises:
            AfterfitError: the model refuses the rows.
            MemoryError: there is no room to answer them.
        """
        try:
            with one_thread():
                predictions, probabilities = self._predict(table, proba=proba)
        except MemoryError:
            raise
        except Exception as error:  # a model is somebody's code, and may raise anything
            raise AfterfitError(
                f"the model cannot score these rows: {' '.join(str(error).split())}"
            ) from error
        return Predictions(predictions, probabilities, classes_of(self.pipeline) if proba else ())

    def refused(self, table: pa.Table, *, proba: bool) -> Rejections:
        """Find the rows that the model refuses, and tell why."""

        def refusal(rows: NDArray[np.int64]) -> str | None:
            try:
                self.predict(table.take(pa.array(rows)), proba=proba)
            except AfterfitError as error:
                return str(error)
            return None

        return find_refused(table, self.trained_on or self.features, refusal, self.strict)

    def _predict(self, table: pa.Table, *, proba: bool) -> tuple[NDArray[Any], NDArray[Any] | None]:
        if self.kernel is None:
            return _by_library(self.pipeline, table, self.features, proba=proba)
        if self.plain is not None:
            columns = [to_numbers(table[name]) for name in self.plain]
        else:
            prepared = np.asarray(
                preparation_of(self.pipeline).transform(to_frame(table, self.features))
            )
            columns = [prepared[:, position] for position in range(prepared.shape[1])]
        return self.kernel.predict(columns, proba=proba)


def _by_library(
    pipeline: Any, table: pa.Table, features: Sequence[Column], *, proba: bool
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Ask the pipeline itself; what comes before its last step is done once for both
    predictions.
    """
    prepared = to_frame(table, features)
    if not proba:
        return _one_each(np.asarray(pipeline.predict(prepared))), None
    last = last_step(pipeline)
    if last is not pipeline:
        prepared = preparation_of(pipeline).transform(prepared)
    last = _computed_once(last, prepared)
    return _one_each(np.asarray(last.predict(prepared))), np.asarray(
        last.predict_proba(prepared), dtype=np.float64
    )


def _computed_once(model: Any, X: Any) -> Any:
    """Give a copy of a model that remembers what its predictions and its probabilities for X are
    both made of.
    """
    method = SHARED_METHODS.get(
        f"{type(model).__module__.partition('.')[0]}.{type(model).__qualname__}"
    )
    if method is None:
        return model
    found = np.asarray(getattr(model, method)(X))
    remembering = copy.copy(model)
    setattr(remembering, method, lambda *_, **__: found.copy())
    return remembering


def _one_each(predictions: NDArray[Any]) -> NDArray[Any]:
    """Give a column of predictions, shape (n, 1), the shape (n,) that others have."""
    return predictions[:, 0] if predictions.shape[1:] == (1,) else predictions


def make_predictor(
    pipeline: Any,
    features: tuple[Column, ...],
    rows: pa.Table | None = None,
    *,
    proba: bool = False,
) -> Predictor:
    """Make a predictor; with real `rows` to try them on, one that takes every short cut that
    predictions them the same.

    Args:
        pipeline: the fitted pipeline.
        features: what it takes.
        rows: some rows of the source; without them scikit-learn itself predicts.
        proba: whether probabilities will be asked for.
    """
    library = Predictor(
        use_one_thread(pipeline),
        features,
        categories=known_categories(pipeline),
        strict=known_categories(pipeline, strict=True),
    )
    if rows is None or not len(rows):
        return library
    from tasks.core.model.trees.kernel import build_kernel  # noqa: PLC0415 - numba is slow to import
    from tasks.core.model.trees.nodes import UnsupportedError  # noqa: PLC0415 - numba is slow to import

    tried = rows.slice(0, CHECKED_ROWS)
    lean_pipeline, taken = bypass_copies(pipeline, features, tried)
    lean = replace(library, pipeline=lean_pipeline, features=taken, trained_on=features)
    try:
        kernel = build_kernel(last_step(pipeline))
    except UnsupportedError as error:
        return replace(lean, note=str(error))
    fast = replace(lean, kernel=kernel, plain=plain_columns(pipeline, features))
    try:
        accepted = _accepted(tried, library, proba=proba)
        same = same_predictions(
            library.predict(accepted, proba=proba), fast.predict(accepted, proba=proba)
        )
    except AfterfitError as error:
        return replace(lean, note=f"the kernel could not be checked: {error}")
    return fast if same else replace(lean, note="the kernel answered otherwise")


def _accepted(rows: pa.Table, predictor: Predictor, *, proba: bool) -> pa.Table:
    """Leave out the rows that a model refuses, so that one bad row does not keep the others from
    being compared.
    """
    refused = predictor.refused(rows, proba=proba)
    return (
        rows.take(pa.array(sorted(set(range(len(rows))) - refused.keys()), pa.int64()))
        if refused
        else rows
    )


def same_predictions(one: Predictions, other: Predictions) -> bool:
    """Tell whether two predictions are the same to the last bit.

    >>> zero = Predictions(np.array([0.0]))
    >>> same_predictions(zero, zero), same_predictions(zero, Predictions(np.array([-0.0])))
    (True, False)
    """
    pairs = [(one.values, other.values), (one.probabilities, other.probabilities)]
    return all(_same_bits(left, right) for left, right in pairs)


def _same_bits(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    if one is None or other is None:
        return one is other
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return (
        one.tolist() == other.tolist() if one.dtype == object else one.tobytes() == other.tobytes()
    )


def classes_of(pipeline: Any) -> tuple[Any, ...]:
    """Give the classes that a classifier knows."""
    return tuple(pipeline.classes_.tolist())
