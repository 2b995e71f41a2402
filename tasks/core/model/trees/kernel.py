"""A kernel that predicts what scikit-learn's fitted trees predict, to the last bit.

It adds up the leaves, many times faster; what is made of the sums (links, shares, classes) stays
scikit-learn's own code.
"""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from tasks.core.model.trees.checks import check_trees
from tasks.core.model.trees.family import Columns, Family, PredictFromSums, Sums
from tasks.core.model.trees.inputs import check_columns
from tasks.core.model.trees.nodes import UnsupportedError

__all__ = ["Kernel", "UnsupportedError", "build_kernel", "check_trees"]

# The family of each estimator. Subclasses have none: they may predict as they like.
FAMILY_OF = {
    "HistGradientBoostingClassifier": "hist_boosting",
    "HistGradientBoostingRegressor": "hist_boosting",
    "RandomForestClassifier": "forest",
    "RandomForestRegressor": "forest",
    "ExtraTreesClassifier": "forest",
    "ExtraTreesRegressor": "forest",
    "DecisionTreeClassifier": "tree",
    "DecisionTreeRegressor": "tree",
    "ExtraTreeClassifier": "tree",
    "ExtraTreeRegressor": "tree",
    "GradientBoostingClassifier": "gradient_boosting",
    "GradientBoostingRegressor": "gradient_boosting",
}


@dataclass(frozen=True)
class Kernel:
    """The trees of a fitted estimator, prepared for many rows.

    Threads may share it: it keeps nothing of a call.
    """

    estimator: Any
    sum_leaves: Sums
    predict_from_sums: PredictFromSums

    def predict(self, columns: Columns, *, proba: bool) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Return what `predict` returns, and with `proba` what `predict_proba` does.

        Args:
            columns: what the columns of the estimator's X would be, in their order: numbers or
                booleans, all of one length, views of a matrix too; NaN is a missing value.
            proba: whether to return the probabilities, of shape (rows, classes).

        Raises:
            ValueError: the estimator itself would refuse these rows, or has no probabilities.
        """
        name = type(self.estimator).__name__
        if proba and not hasattr(self.estimator, "predict_proba"):
            raise ValueError(f"{name} gives no probabilities")

        checked = check_columns(columns, self.estimator.n_features_in_, name)
        sums = self.sum_leaves(checked)
        return self.predict_from_sums(self.estimator, sums, proba=proba)


def build_kernel(estimator: Any) -> Kernel:
    """Prepare a fitted estimator's trees.

    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> X, y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([1.0, 1.0, 2.0, 2.0])
    >>> model = RandomForestRegressor(3, random_state=0).fit(X, y)
    >>> predictions, _ = build_kernel(model).predict([X[:, 0]], proba=False)
    >>> bool((predictions == model.predict(X)).all())
    True

    Raises:
        UnsupportedError: the kernel does not know the estimator, or not all of it, or nothing can
            be compiled here.
        ValueError: a tree is damaged: scikit-learn itself would read beyond it.
    """
    kind = type(estimator)
    family_name = FAMILY_OF.get(kind.__name__)
    if family_name is None or not kind.__module__.startswith("sklearn."):
        raise UnsupportedError(f"the kernel does not know {kind.__module__}.{kind.__qualname__}")

    check_trees(estimator)
    family = load_family(family_name)
    return Kernel(estimator, family.prepare_sums(estimator), family.predict_from_sums)


def load_family(name: str) -> Family:
    """Return a family of estimators; the first time, its loops are compiled or found.

    Raises:
        UnsupportedError: nothing can be compiled here.
    """
    try:
        from tasks.core.model.trees.families import FAMILIES  # noqa: PLC0415 - imports numba
    except (ImportError, OSError, RuntimeError) as error:
        # RuntimeError: there is no folder to keep the result in.
        raise UnsupportedError(f"numba cannot compile the kernel here: {error}") from error
    return FAMILIES[name]
