"""What the kernel does not support, it says: scikit-learn itself predicts then."""

import numpy as np
import pytest
from sklearn import ensemble, tree
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from tasks.core.model.trees.kernel import build_kernel
from tasks.core.model.trees.nodes import UnsupportedError

chance = np.random.default_rng(0)
X = chance.normal(size=(60, 3))
LABELS = chance.integers(0, 2, 60)
TWICE = np.column_stack([LABELS, LABELS])


class Own(ensemble.RandomForestClassifier):
    """Somebody's forest, which may predict as it likes."""


@pytest.mark.parametrize(
    ("model", "y", "words"),
    [
        (SVC(), LABELS, "the kernel does not know sklearn.svm._classes.SVC"),
        (Own(2), LABELS, "does not know .*Own"),
        (ensemble.RandomForestClassifier(2), TWICE, "with several outputs"),
        (tree.DecisionTreeRegressor(), TWICE, "with several outputs"),
        (
            ensemble.GradientBoostingClassifier(n_estimators=2, init=LogisticRegression()),
            LABELS,
            "GradientBoosting that begins with LogisticRegression",
        ),
    ],
)
def test_what_the_kernel_does_not_know_it_says(model, y, words):
    model.fit(X, y)
    with pytest.raises(UnsupportedError, match=words):
        build_kernel(model)


@pytest.mark.parametrize(
    ("threshold", "words"), [(np.nan, "not numbers"), (None, "feature 0 has 300 thresholds")]
)
def test_thresholds_that_no_byte_can_tell_are_not_supported(threshold, words):
    rows = np.arange(600.0).reshape(-1, 1)
    model = ensemble.HistGradientBoostingRegressor(
        max_iter=300, max_leaf_nodes=2, min_samples_leaf=1
    )
    model.fit(rows, rows[:, 0])
    for number, (predictor,) in enumerate(model._predictors):
        predictor.nodes["num_threshold"][0] = number if threshold is None else threshold

    with pytest.raises(UnsupportedError, match=words):
        build_kernel(model)


def test_leaves_that_are_not_finite_are_not_supported():
    model = tree.DecisionTreeRegressor().fit([[0.0], [1.0]], [0.0, 1.0])
    model.tree_.value[1] = np.inf

    with pytest.raises(UnsupportedError, match="leaves whose values are not finite"):
        build_kernel(model)


def test_a_forest_of_trees_with_fewer_classes_is_not_supported():
    model = ensemble.RandomForestClassifier(2, random_state=0).fit(X, LABELS)
    model.n_classes_ = 3

    with pytest.raises(UnsupportedError, match="without a value for each of 3 classes"):
        build_kernel(model)
