"""Parity: what we predict with a model from elsewhere is what it predicts by itself."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.foreign.differences import explain, explain_refusal
from tasks.core.foreign.forms import differs_in_form, fitted_form
from tasks.core.model.predictor import Predictor
from tasks.core.model.threads import one_thread
from tasks.core.predictions import Predictions, check_shape
from tasks.core.tables.frames import to_frame

# The same numbers in another memory layout add up to other last bits; a wrong value is far larger.
TOLERANCE = 1e-9
TOLERANCE_OF_FLOAT32 = 1e-5  # of a model that was fitted on float32, and is given float64


def check_parity(
    predictor: Predictor, table: pa.Table, read: pd.DataFrame, rows: Sequence[int], *, proba: bool
) -> None:
    """Refuse a model that predicts otherwise here than on the form that it was fitted on.

    Args:
        predictor: predicts as we do.
        table: the rows that it is tried on.
        read: the same rows as pandas reads them.
        rows: their numbers in the source.
        proba: whether the model gives probabilities, which are held against each other too.

    Raises:
        RequestError: predictions differ; with the column that makes them differ.
    """
    bare = BarePipeline(predictor.pipeline, proba=proba)
    numbers = np.asarray(rows)
    ours = to_frame(table, predictor.features)
    theirs = fitted_form(predictor.pipeline, ours, read)

    if reason := _refusal(predictor, table, proba=proba):
        _check_refused_alike(bare, ours, theirs, reason)
        kept = _accepted_rows(predictor, table, reason, proba=proba)
        table = table.take(pa.array(kept))
        numbers = numbers[kept]
        ours, theirs = (frame.iloc[kept].reset_index(drop=True) for frame in (ours, theirs))

    given = predictor.predict(table, proba=proba)
    check_shape(given, len(table))
    expected = bare.predict(theirs)
    if expected is None:
        theirs = _accepted_form(bare, ours, theirs)
        expected = bare.predict(theirs)
    if expected is None:
        raise RequestError("the model refuses the rows that it has just predicted: do not use it.")

    differs = differing(expected, given, tolerance_for(theirs))
    if differs.any():
        culprits = _culprits(bare, ours, theirs, given)
        raise RequestError(explain(culprits, ours, theirs, (expected, given), differs, numbers))


def _refusal(predictor: Predictor, table: pa.Table, *, proba: bool) -> str:
    """Return why a model refuses some of the rows as we hand them over, or an empty string."""
    try:
        predictor.predict(table, proba=proba)
    except AfterfitError as error:
        return str(error).rstrip(".")
    return ""


def _check_refused_alike(
    bare: "BarePipeline", ours: pd.DataFrame, theirs: pd.DataFrame, reason: str
) -> None:
    """Refuse a model that predicts the rows in its own form, and refuses them in ours.

    Raises:
        RequestError: with the column.
    """
    if bare.predict(theirs) is None:
        return

    names = _differing_columns(ours, theirs)
    alone = [name for name in names if bare.predict(theirs.assign(**{name: ours[name]})) is None]
    raise RequestError(explain_refusal(alone or names, ours, theirs, reason))


def _accepted_rows(
    predictor: Predictor, table: pa.Table, reason: str, *, proba: bool
) -> NDArray[np.int64]:
    """Return the positions of the rows that a model accepts as we hand them over.

    A row that it refuses gets no score, so no wrong one either.

    Raises:
        RequestError: it refuses every row.
    """
    refused = predictor.refused(table, proba=proba)
    if len(refused) == len(table):
        raise RequestError(f"{reason}.")

    positions = np.fromiter(refused, dtype=np.int64, count=len(refused))
    return np.setdiff1d(np.arange(len(table)), positions)


class BarePipeline:
    """Asks a pipeline itself, without anything of ours in between."""

    def __init__(self, pipeline: Any, *, proba: bool) -> None:
        self._pipeline = pipeline
        self._proba = proba
        # One without names was fitted on an array.
        self._has_names = hasattr(pipeline, "feature_names_in_")

    def predict(self, frame: pd.DataFrame) -> Predictions | None:
        """Return what the pipeline predicts, or None if it refuses the rows."""
        forms = [frame] if self._has_names else [frame.to_numpy(), frame]
        for rows in forms:
            try:
                with one_thread():
                    return self._predict(rows)
            except MemoryError:
                raise
            except Exception:  # noqa: BLE001, S112 - a model is somebody's code, and may raise anything
                continue
        return None

    def _predict(self, rows: Any) -> Predictions:
        values = np.asarray(self._pipeline.predict(rows))
        if values.shape[1:] == (1,):
            values = values[:, 0]

        if not self._proba:
            return Predictions(values)
        return Predictions(values, np.asarray(self._pipeline.predict_proba(rows), dtype=float))


def tolerance_for(frame: pd.DataFrame) -> float:
    """Return by how much predictions may differ, as a share of the largest."""
    is_float32 = any(dtype.kind == "f" and dtype.itemsize < 8 for dtype in frame.dtypes)  # noqa: PLR2004 - bytes
    return TOLERANCE_OF_FLOAT32 if is_float32 else TOLERANCE


def differing(
    expected: Predictions, given: Predictions, tolerance: float = TOLERANCE
) -> NDArray[np.bool_]:
    """Return the rows in which two predictions differ by more than rounding, shape (n,).

    >>> one, other = Predictions(np.array([1.0, 2.0])), Predictions(np.array([1.0 + 1e-15, 3.0]))
    >>> differing(one, other).tolist()
    [False, True]
    """
    differs = _differing_values(expected.values, given.values, tolerance)
    if expected.probabilities is not None and given.probabilities is not None:
        far = _differing_values(expected.probabilities, given.probabilities, tolerance)
        differs |= far.any(axis=1)
    return differs


def _differing_values(
    one: NDArray[Any], other: NDArray[Any], tolerance: float
) -> NDArray[np.bool_]:
    if "f" not in {one.dtype.kind, other.dtype.kind}:
        return np.asarray(one != other, dtype=bool)

    finite = np.abs(one[np.isfinite(one)])
    size = float(finite.max()) if len(finite) else 0.0
    is_close = np.isclose(one, other, rtol=tolerance, atol=tolerance * size, equal_nan=True)
    return np.asarray(~is_close)


def _accepted_form(bare: BarePipeline, ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Return ours, with each column of theirs that the model accepts beside those before it.

    A form that the model refuses is not the one that it was fitted on.
    """
    accepted = ours
    for name in _differing_columns(ours, theirs):
        tried = accepted.assign(**{name: theirs[name]})
        if bare.predict(tried) is not None:
            accepted = tried
    return accepted


def _culprits(
    bare: BarePipeline, ours: pd.DataFrame, theirs: pd.DataFrame, given: Predictions
) -> list[str]:
    """Return the column that makes most predictions differ by itself, else all that may."""
    names = _differing_columns(ours, theirs)
    counts = {}
    for name in names:
        found = bare.predict(ours.assign(**{name: theirs[name]}))
        counts[name] = int(differing(found, given).sum()) if found is not None else 0

    worst = max(names, key=lambda name: counts[name], default=None)
    return [worst] if worst is not None and counts[worst] else names


def _differing_columns(ours: pd.DataFrame, theirs: pd.DataFrame) -> list[str]:
    return [name for name in ours.columns if differs_in_form(ours[name], theirs[name])]
