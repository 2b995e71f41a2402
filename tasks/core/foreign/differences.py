"""Differences: the sentence about a model that predicts otherwise here than by itself."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tasks.core.foreign.forms import differing_values
from tasks.core.foreign.learned import as_list
from tasks.core.predictions import Predictions

SHOWN = 5
MISSING = "a missing value (NaN)"


def explain(
    culprits: Sequence[str],
    ours: pd.DataFrame,
    theirs: pd.DataFrame,
    predicted: tuple[Predictions, Predictions],
    differs: NDArray[np.bool_],
    rows: NDArray[np.int64],
) -> str:
    """Say which column is read otherwise than it was fitted, and what that changes.

    Args:
        culprits: the columns that make predictions differ.
        ours: the rows as we hand them over.
        theirs: the same rows as the model was fitted on them.
        predicted: what it predicts by itself, and what we predict.
        differs: the rows in which these differ, shape (n,).
        rows: the numbers of the rows in the source, shape (n,).
    """
    first = int(np.argmax(differs))
    own, here = (_shown_prediction(each, first) for each in predicted)
    count = f"{int(differs.sum()):,} of {len(differs):,} predictions differ"
    evidence = f"{count}, first in row {rows[first]} ({own} by itself, {here} here)"

    if not culprits:
        return f"the model predicts otherwise by itself than here: {evidence}."
    if len(culprits) > 1:
        names = ", ".join(repr(name) for name in culprits[:SHOWN])
        return f"columns {names}: the model was fitted on another form of them: {evidence}."

    subject, way_out = _difference(culprits[0], theirs, ours, differs)
    return f"{subject}: {evidence}. {way_out}"


def explain_refusal(
    culprits: Sequence[str], ours: pd.DataFrame, theirs: pd.DataFrame, reason: str
) -> str:
    """Say which column makes a model refuse rows here that it predicts by itself.

    Args:
        culprits: the columns that may be the reason, at least one.
        ours: the rows as we hand them over.
        theirs: the same rows as the model was fitted on them.
        reason: what the model says.
    """
    everywhere = np.ones(len(ours), dtype=bool)
    subject, way_out = _difference(culprits[0], theirs, ours, everywhere)
    return f"{subject}, which it refuses: {reason}. {way_out}"


def _shown_prediction(predicted: Predictions, row: int) -> str:
    value = predicted.values.tolist()[row]  # noqa: PD011 - no frame
    shown = f"{value:.6g}" if isinstance(value, float) else repr(value)
    if predicted.probabilities is not None:
        shown += f" with probability {predicted.probabilities[row].max():.6g}"
    return shown


def _difference(
    name: str, theirs: pd.DataFrame, ours: pd.DataFrame, differs: NDArray[np.bool_]
) -> tuple[str, str]:
    """Return what a model was fitted on in a column and what it is given, and the way out."""
    found = differing_values(theirs[name], ours[name])
    rows = found & differs if (found & differs).any() else found
    if found.any():
        row = int(np.argmax(rows))
        fitted, given = as_list(theirs[name])[row], as_list(ours[name])[row]
        shown, way_out = (_shown(fitted), _shown(given)), _way_out(fitted, given)
    else:
        shown = str(theirs[name].dtype), str(ours[name].dtype)
        way_out = f"Fit it on {shown[1]}."

    if ours[name].dtype.kind == "f" and theirs[name].dtype.kind not in "biuf":
        way_out = f"Fit it on numbers, as `frame[{name!r}].astype(float)` makes them."

    subject = f"column {name!r}: the model was fitted on {shown[0]}, and is given {shown[1]} here"
    return subject, way_out


def _shown(value: Any) -> str:
    if value is None:
        return "None"
    if pd.isna(value):
        return MISSING
    if isinstance(value, str):
        return f"the text {value!r}"
    return f"the {type(value).__name__} {value}"


def _way_out(fitted: Any, given: Any) -> str:
    if fitted is None:
        return (
            "Fit it on NaN in place of None, as `frame.fillna(float('nan'))` makes it, or let the "
            "pipeline impute missing values."
        )
    if pd.isna(fitted):
        return (
            f"Fit it on the text {given!r}, as `pd.read_csv(..., keep_default_na=False)` reads it, "
            "or leave the value empty in the source."
        )
    return "Fit it on the column as it is given here."
