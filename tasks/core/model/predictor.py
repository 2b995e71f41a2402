"""The predictor: a fitted pipeline, and the fastest way that predicts exactly as it does."""

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
CHECKED_ROWS = 4096  # predicted both ways before the kernel is trusted with the rest
# The method that both `predict` and `predict_proba` of a classifier call, and do little more. To
# call it once takes half the time of a forest or boosted trees, and a tenth off a linear model.
SHARED_METHODS = {
    "sklearn.ExtraTreesClassifier": "predict_proba",
    "sklearn.HistGradientBoostingClassifier": "_raw_predict",
    "sklearn.LogisticRegression": "decision_function",
    "sklearn.RandomForestClassifier": "predict_proba",
}
Raw = tuple[NDArray[Any], NDArray[Any] | None]  # predictions, and probabilities if asked for


@dataclass(frozen=True)
class Predictor:
    """Predicts as a fitted pipeline does, to the last bit.

    `kernel`, if there is one, runs the trees of the last step in scikit-learn's place. `plain`
    names the columns of that last step, where everything before it only puts columns in order:
    these go to it without a row matrix. `note` says why scikit-learn itself predicts.

    `trained_on`: all features of the registered model, where `features` is a subset of them.
    `categories`: the known categories of each column; `strict`: the same for columns whose encoder
    raises on any other.
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
        """Return the name of what predicts."""
        return KERNEL if self.kernel else LIBRARY

    def predict(self, table: pa.Table, *, proba: bool) -> Predictions:
        """Return predictions, shape (n,), and probabilities, shape (n, classes), on one thread.

        Raises:
            AfterfitError: the model refuses the rows.
            MemoryError: there is no room to predict them.
        """
        try:
            with one_thread():
                values, probabilities = self._predict(table, proba=proba)
        except MemoryError:
            raise
        except Exception as error:  # a model is somebody's code, and may raise anything
            reason = " ".join(str(error).split())
            raise AfterfitError(f"the model cannot score these rows: {reason}") from error

        classes = classes_of(self.pipeline) if proba else ()
        return Predictions(values, probabilities, classes)

    def refused(self, table: pa.Table, *, proba: bool) -> Rejections:
        """Find the rows that the model refuses, with the reasons."""

        def refusal(rows: NDArray[np.int64]) -> str | None:
            try:
                self.predict(table.take(pa.array(rows)), proba=proba)
            except AfterfitError as error:
                return str(error)
            return None

        return find_refused(table, self.trained_on or self.features, refusal, self.strict)

    def _predict(self, table: pa.Table, *, proba: bool) -> Raw:
        if self.kernel is None:
            return _predict_by_library(self.pipeline, table, self.features, proba=proba)
        return self.kernel.predict(self._kernel_columns(table), proba=proba)

    def _kernel_columns(self, table: pa.Table) -> list[NDArray[Any]]:
        """Return the columns that the last step takes."""
        if self.plain is not None:
            return [to_numbers(table[name]) for name in self.plain]

        frame = to_frame(table, self.features)
        prepared = np.asarray(preparation_of(self.pipeline).transform(frame))
        return [prepared[:, position] for position in range(prepared.shape[1])]


def _predict_by_library(
    pipeline: Any, table: pa.Table, features: Sequence[Column], *, proba: bool
) -> Raw:
    """Ask the pipeline itself; the rows are prepared once for predictions and probabilities."""
    prepared = to_frame(table, features)
    if not proba:
        return _one_each(np.asarray(pipeline.predict(prepared))), None

    last = last_step(pipeline)
    if last is not pipeline:
        prepared = preparation_of(pipeline).transform(prepared)

    last = _computed_once(last, prepared)
    values = _one_each(np.asarray(last.predict(prepared)))
    return values, np.asarray(last.predict_proba(prepared), dtype=np.float64)


def _computed_once(model: Any, X: Any) -> Any:
    """Return a copy of a model that remembers what both of its methods compute from X."""
    package = type(model).__module__.partition(".")[0]
    method = SHARED_METHODS.get(f"{package}.{type(model).__qualname__}")
    if method is None:
        return model

    found = np.asarray(getattr(model, method)(X))
    remembering = copy.copy(model)
    setattr(remembering, method, lambda *_, **__: found.copy())
    return remembering


def _one_each(values: NDArray[Any]) -> NDArray[Any]:
    """Return a column of predictions, shape (n, 1), in the shape (n,) that others have."""
    return values[:, 0] if values.shape[1:] == (1,) else values


def make_predictor(
    pipeline: Any,
    features: tuple[Column, ...],
    rows: pa.Table | None = None,
    *,
    proba: bool = False,
) -> Predictor:
    """Return a predictor; with real `rows`, one that takes every short cut with the same outcome.

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
    return _with_shortcuts(library, rows.slice(0, CHECKED_ROWS), proba=proba)


def _with_shortcuts(library: Predictor, rows: pa.Table, *, proba: bool) -> Predictor:
    """Try the short cuts on rows, and take those that predict them as scikit-learn does."""
    from tasks.core.model.trees.kernel import build_kernel  # noqa: PLC0415 - few models have trees
    from tasks.core.model.trees.nodes import UnsupportedError  # noqa: PLC0415 - the same

    pipeline = library.pipeline
    features = library.features
    lean_pipeline, taken = bypass_copies(pipeline, features, rows)
    lean = replace(library, pipeline=lean_pipeline, features=taken, trained_on=features)

    try:
        kernel = build_kernel(last_step(pipeline))
    except UnsupportedError as error:
        return replace(lean, note=str(error))

    fast = replace(lean, kernel=kernel, plain=plain_columns(pipeline, features))
    try:
        accepted = _accepted(rows, library, proba=proba)
        expected = library.predict(accepted, proba=proba)
        is_same = same_predictions(expected, fast.predict(accepted, proba=proba))
    except AfterfitError as error:
        return replace(lean, note=f"the kernel could not be checked: {error}")
    return fast if is_same else replace(lean, note="the kernel answered otherwise")


def _accepted(rows: pa.Table, predictor: Predictor, *, proba: bool) -> pa.Table:
    """Leave out the rows that a model refuses: one must not keep the others from being compared."""
    refused = predictor.refused(rows, proba=proba)
    if not refused:
        return rows
    accepted = sorted(set(range(len(rows))) - refused.keys())
    return rows.take(pa.array(accepted, pa.int64()))


def same_predictions(one: Predictions, other: Predictions) -> bool:
    """Return whether two predictions are the same to the last bit.

    >>> zero = Predictions(np.array([0.0]))
    >>> same_predictions(zero, zero), same_predictions(zero, Predictions(np.array([-0.0])))
    (True, False)
    """
    is_same = _same_bits(one.values, other.values)
    return is_same and _same_bits(one.probabilities, other.probabilities)


def _same_bits(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    if one is None or other is None:
        return one is other
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype == object:
        return bool(one.tolist() == other.tolist())
    return one.tobytes() == other.tobytes()


def classes_of(pipeline: Any) -> tuple[Any, ...]:
    """Return the classes that a classifier knows."""
    return tuple(pipeline.classes_.tolist())
