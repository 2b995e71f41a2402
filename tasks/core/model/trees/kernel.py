"""A kernel that answers what scikit-learn's fitted trees answer, to the last bit, many times
faster.

It adds up the leaves; what is made of the sums (links, shares, classes) stays scikit-learn's own
code.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees import families
from tasks.core.model.trees.checks import check_trees
from tasks.core.model.trees.nodes import UnsupportedError

__all__ = ["Kernel", "UnsupportedError", "build_kernel", "check_trees"]


@dataclass(frozen=True)
class Kernel:
    """The trees of a fitted estimator, prepared for many rows. Threads may share it: it keeps
    nothing of a call.
    """

    features: int
    estimator: Any
    sums: families.Sums

    def predict(
        self, columns: families.Columns, *, proba: bool
    ) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Answer as `predict` does, and with `proba` as `predict_proba` does.

        Args:
            columns: what the columns of the estimator's X would be, in their order: numbers or
                booleans, as many of
                each, views of a matrix too; NaN is a missing value.
            proba: whether to give the probabilities, of shape (rows, classes).

        Raises:
            ValueError: the estimator itself would refuse these rows, or has no probabilities.
        """
        name = type(self.estimator).__name__
        if proba and not hasattr(self.estimator, "predict_proba"):
            raise ValueError(f"{name} gives no probabilities")
        sums = self.sums(_numbers(columns, self.features, name))
        answered = FAMILIES[name][1](self.estimator, sums)
        return answered.predict(None), answered.predict_proba(None) if proba else None


def build_kernel(estimator: Any) -> Kernel:
    """Prepare a fitted estimator's trees.

    >>> from sklearn.ensemble import RandomForestRegressor
    >>> X, y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([1.0, 1.0, 2.0, 2.0])
    >>> model = RandomForestRegressor(3, random_state=0).fit(X, y)
    >>> bool((build_kernel(model).predict([X[:, 0]], proba=False)[0] == model.predict(X)).all())
    True

    Raises:
        UnsupportedError: the kernel does not know the estimator, or not all of it, or nothing can
            be compiled here.
        ValueError: a tree is damaged: scikit-learn itself would read beyond it.
    """
    kind = type(estimator)
    if not kind.__module__.startswith("sklearn.") or kind.__name__ not in FAMILIES:
        raise UnsupportedError(f"the kernel does not know {kind.__module__}.{kind.__qualname__}")
    check_trees(estimator)
    try:
        importlib.import_module("tasks.core.model.trees.loops")
    except (
        ImportError,
        OSError,
        RuntimeError,
    ) as error:  # RuntimeError: there is no folder to keep the result in
        raise UnsupportedError(f"numba cannot compile the kernel here: {error}") from error
    return Kernel(estimator.n_features_in_, estimator, FAMILIES[kind.__name__][0](estimator))


def _numbers(columns: families.Columns, features: int, name: str) -> families.Columns:
    """Refuse columns that would be no X; give those that are not floats the type that X would
    have.
    """
    if len(columns) != features:
        raise ValueError(
            f"X has {len(columns)} features, but {name} is expecting {features} features as input."
        )
    rows = {column.shape for column in columns}
    if len(rows) > 1 or len(columns[0].shape) != 1:
        raise ValueError(
            f"the columns are of the shapes {', '.join(map(str, sorted(rows)))}: all must be (rows,)"
        )
    if not len(columns[0]):
        raise ValueError(
            f"Found array with 0 sample(s) while a minimum of 1 is required by {name}."
        )
    for number, column in enumerate(columns):
        if column.dtype.kind not in "fiub" or column.dtype.itemsize > np.dtype(np.float64).itemsize:
            raise ValueError(
                f"column {number} is of type {column.dtype}: the kernel takes numbers and booleans"
            )
    common = np.result_type(*(column.dtype for column in columns))
    return [column if column.dtype in FLOATS else column.astype(common) for column in columns]


FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
Answer = Callable[[Any, NDArray[np.float64]], Any]
HIST: tuple[Callable[[Any], families.Sums], Answer] = (
    families.sum_hist_boosting,
    families.answer_hist_boosting,
)
FOREST: tuple[Callable[[Any], families.Sums], Answer] = (
    families.sum_forest,
    families.answer_forest,
)
TREE: tuple[Callable[[Any], families.Sums], Answer] = (families.sum_tree, families.answer_tree)
BOOSTING: tuple[Callable[[Any], families.Sums], Answer] = (
    families.sum_gradient_boosting,
    families.answer_gradient_boosting,
)
FAMILIES = {
    "HistGradientBoostingClassifier": HIST,
    "HistGradientBoostingRegressor": HIST,
    "RandomForestClassifier": FOREST,
    "RandomForestRegressor": FOREST,
    "ExtraTreesClassifier": FOREST,
    "ExtraTreesRegressor": FOREST,
    "DecisionTreeClassifier": TREE,
    "DecisionTreeRegressor": TREE,
    "ExtraTreeClassifier": TREE,
    "ExtraTreeRegressor": TREE,
    "GradientBoostingClassifier": BOOSTING,
    "GradientBoostingRegressor": BOOSTING,
}
