"""HistGradientBoosting with categories of its own."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from tasks.core.model.trees.checks import check_trees
from tasks.core.model.trees.kernel import build_kernel
from tasks.core.model.trees.nodes import UnsupportedError

HIST = {"max_iter": 6, "min_samples_leaf": 2, "early_stopping": False}


@cache
def table(gaps, most=30):
    """A number, a feature of `most` categories and one of four; what is to be learned of them."""
    chance = np.random.default_rng(11)
    sizes = chance.normal(size=3000)
    cities, sides = chance.integers(0, most, 3000), chance.integers(3, 7, 3000)
    noise = chance.permutation(most)[cities] % 5
    X = np.column_stack([sizes, cities, sides])
    y = sizes + noise + (sides == 4)
    if gaps:
        X[chance.random(X.shape) < 0.1] = np.nan
    return X, y


def fit(X, y, names):
    """Fit a regressor, or a classifier of the classes with these names."""
    options = {**HIST, "categorical_features": [1, 2], "max_bins": 255}
    if not names:
        return HistGradientBoostingRegressor(**options).fit(X, y)
    edges = [2, 3, 4, 5][: len(names) - 1]
    labels = np.asarray(names)[np.digitize(y, edges)]
    return HistGradientBoostingClassifier(**options).fit(X, labels)


@pytest.mark.parametrize("names", [None, ("no", "yes"), (10, 20, 30, 40, 50)])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("most", [30, 250])
def test_categories_known_or_not_or_missing_are_predicted_to_the_last_bit(
    every_tree, assert_same, names, gaps, most
):
    X, y = table(gaps, most)
    model = fit(X, y, names)
    assert any((nodes.category_set >= 0).any() for nodes in every_tree(model))
    assert_same(model, X)

    chance = np.random.default_rng(12)
    strange = chance.choice([-1, 0, 4, 4.5, 254, 255, 256, 1e9, np.nan, -0.0], X.shape)
    strange[:, 0] = chance.normal(size=len(X))
    assert_same(model, strange)


def test_a_model_with_categories_that_was_fitted_on_a_frame_knows_its_names(assert_same):
    X, _ = table(gaps=False)
    frame = pd.DataFrame(X, columns=["size", "city", "side"])
    model = HistGradientBoostingRegressor(**HIST, categorical_features=["city", "side"])
    model.fit(frame, np.arange(len(X)))

    assert_same(model, frame, [frame[name].to_numpy() for name in frame])


def test_large_trees_with_categories_are_not_supported():
    X, _ = table(gaps=False)
    model = HistGradientBoostingRegressor(**HIST, max_leaf_nodes=400, categorical_features=[1])
    model.fit(X, np.random.default_rng(0).normal(size=len(X)))

    with pytest.raises(UnsupportedError, match="more than 256 leaves that split by categories"):
        build_kernel(model)


def categorical_split():
    """A model with categories, a tree of it and its first node that splits by them."""
    X, y = table(gaps=False)
    model = fit(X, y, names=None)
    for (predictor,) in model._predictors:
        nodes = np.flatnonzero(predictor.nodes["is_categorical"])
        if len(nodes):
            return model, predictor, nodes[0]
    raise AssertionError


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("bitset_idx", 99, "a set of categories that is not there"),
        ("feature_idx", 2, "categories of a feature that has none"),  # numbers come last
    ],
)
def test_a_damaged_split_by_categories_is_refused(field, value, words):
    model, predictor, node = categorical_split()
    predictor.nodes[field][node] = value

    with pytest.raises(ValueError, match=words):
        check_trees(model)


def test_sets_of_categories_of_another_size_are_refused():
    model, predictor, _ = categorical_split()
    predictor.raw_left_cat_bitsets = predictor.raw_left_cat_bitsets[:, :4]

    with pytest.raises(ValueError, match=r"the sets of categories of tree \d of .* are of shape"):
        check_trees(model)
