"""The trial of a candidate: what could be fitted and then not be stored is found out at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tasks.core.errors import RequestError
from tasks.core.model.skops_file import load_pipeline, save_pipeline
from tasks.core.spec.sections import Candidate
from tasks.core.tables.columns import Column
from tasks.core.training.candidates import make_estimator
from tasks.core.training.pipeline import build_pipeline, fit_pipeline

TRIAL_ROWS = 200
TRIAL_TREES = 2  # what a forest is made of, its first trees show


def check_storable(
    candidate: Candidate,
    features: Sequence[Column],
    X: pd.DataFrame,
    y: NDArray[Any],
    folder: Path,
) -> None:
    """Refuse a candidate that cannot be stored: fit it on a few rows, store, load and predict.

    What cannot be fitted on so few rows may well be on all of them: the fit itself will tell.

    Args:
        candidate: the estimator and its parameters.
        features: the columns of the frame.
        X: the rows that train, shape (n, features).
        y: their targets, shape (n,).
        folder: a scratch folder of this candidate alone.

    Raises:
        RequestError: with the reason, and the way out.
    """
    rows = np.unique(np.linspace(0, len(y) - 1, TRIAL_ROWS).astype(int))
    few = X.iloc[rows]
    try:
        pipeline = fit_pipeline(_small_pipeline(candidate, features), few, y[rows])
        pipeline.predict(few)
    except Exception:  # noqa: BLE001 - scikit-learn raises what it likes, and the fit raises it again
        return

    path = folder / f"{candidate.name}.skops"
    try:
        save_pipeline(pipeline, path)
        load_pipeline(path).predict(few)
    except Exception as error:  # skops raises what the types themselves raise
        reason = " ".join(str(error).split())[:300].rstrip(".")
        raise RequestError(
            f"{candidate.name} cannot be stored as its parameters are: {reason}. Choose other "
            "`params`, or another estimator."
        ) from error


def _small_pipeline(candidate: Candidate, features: Sequence[Column]) -> Any:
    """Return the pipeline of a candidate, not fitted; if it is a forest, of a few trees."""
    estimator = make_estimator(candidate.estimator, candidate.params)
    trees = estimator.get_params(deep=False).get("n_estimators")
    if isinstance(trees, int):
        estimator.set_params(n_estimators=min(trees, TRIAL_TREES))
    return build_pipeline(estimator, features)
