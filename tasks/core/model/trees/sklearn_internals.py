"""What the kernel reads of scikit-learn's boosting that has no public name.

All access to private attributes of estimators stands here, one function each.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def hist_predictors(estimator: Any) -> list[list[Any]]:
    """Return the trees of HistGradientBoosting: for each iteration, one for each output."""
    return list(estimator._predictors)  # noqa: SLF001 - its trees have no public name


def hist_baseline(estimator: Any) -> NDArray[Any]:
    """Return what the sums of HistGradientBoosting begin with, shape (1, outputs)."""
    return np.asarray(estimator._baseline_prediction)  # noqa: SLF001 - it has no public name


def hist_bins(estimator: Any) -> Any:
    """Return the bin mapper of HistGradientBoosting, which knows the categories."""
    return estimator._bin_mapper  # noqa: SLF001 - the known categories have no public name


def hist_encoder(estimator: Any) -> Any:
    """Return what encodes the categories of HistGradientBoosting, `None` if it has none."""
    return estimator._preprocessor  # noqa: SLF001 - the order of features is known only to it


def encode_categories(estimator: Any, X: Any) -> NDArray[np.float64]:
    """Encode the categories of X as HistGradientBoosting does, which puts their features first."""
    encoded = estimator._preprocess_X(X, reset=False)  # noqa: SLF001 - `predict` does the trees too
    return np.asarray(encoded)


def initial_sums(estimator: Any, X: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what the sums of GradientBoosting begin with, shape (rows, outputs)."""
    sums = estimator._raw_predict_init(X)  # noqa: SLF001 - only it scales `init_` to the loss
    return np.asarray(sums)
