"""The kernel against scikit-learn itself: every comparison is of bits and types.

None is of nearness.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import ensemble, tree

from tasks.core.model.trees.kernel import build_kernel
from tasks.core.model.trees.programs import BLOCK
from tasks.core.model.trees.walks import MAX_CHUNK

seeds = st.integers(0, 2**32 - 1)
floats = st.sampled_from([np.float32, np.float64])


@settings(max_examples=30)
@given(seeds, st.integers(0, 1), st.booleans(), floats, st.integers(1, 300))
def test_a_regressor_is_predicted_to_the_last_bit(
    fitted, telling_rows, assert_same, regressor, seed, model_seed, gaps, dtype, rows
):
    model = fitted(regressor, seed=model_seed, gaps=gaps)
    assert_same(model, telling_rows(model, rows, np.random.default_rng(seed), dtype))


@settings(max_examples=10)
@given(seeds, st.booleans(), floats, st.integers(1, 300))
def test_a_classifier_is_predicted_to_the_last_bit_whatever_its_labels(
    fitted, telling_rows, assert_same, classifier, labels, seed, gaps, dtype, rows
):
    model = fitted(classifier, labels, gaps=gaps)
    assert_same(model, telling_rows(model, rows, np.random.default_rng(seed), dtype))


@settings(max_examples=100)
@given(seeds, st.integers(2, 40), st.integers(1, 6), st.integers(2, 255))
def test_whatever_the_data_boosting_was_fitted_on(
    telling_rows, assert_same, seed, leaves, iterations, bins
):
    chance = np.random.default_rng(seed)
    values = [chance.normal(), 1e300, -1e300, np.nan, 0.0, *chance.normal(size=50)]
    model = ensemble.HistGradientBoostingRegressor(
        max_iter=iterations,
        max_leaf_nodes=leaves,
        max_bins=bins,
        min_samples_leaf=1,
        early_stopping=False,
    )
    model.fit(chance.choice(values, (400, 4)), chance.normal(size=400))

    assert_same(model, telling_rows(model, 200, chance))


def test_a_feature_may_have_254_thresholds_and_one_for_missing_values(every_tree, assert_same):
    X = np.r_[np.arange(2000.0), np.full(500, np.nan)].reshape(-1, 1)
    y = np.r_[np.random.default_rng(0).normal(size=2000), np.full(500, -99.0)]
    model = ensemble.HistGradientBoostingRegressor(
        max_iter=9, max_leaf_nodes=256, min_samples_leaf=1, max_bins=255, early_stopping=False
    ).fit(X, y)

    thresholds = [nodes.threshold[~nodes.is_leaf] for nodes in every_tree(model)]
    used = np.unique(np.concatenate(thresholds))
    assert len(used) == 255
    assert used[-1] == np.inf

    above = np.nextafter(used, 9e9)
    rows = np.r_[X[:, 0], np.inf, -np.inf, used, above]
    assert_same(model, rows.reshape(-1, 1))


@pytest.mark.parametrize("rows", [1, 63, 64, 65, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 100])
@pytest.mark.parametrize("kind", ["hist squared_error", "hist 400 leaves", "forest"])
def test_any_number_of_rows_is_predicted(fitted, telling_rows, assert_same, kind, rows):
    model = fitted(kind, gaps=True)
    assert_same(model, telling_rows(model, rows, np.random.default_rng(rows)))


def test_more_rows_than_a_chunk_are_predicted(fitted, telling_rows, assert_same):
    model = fitted("tree")
    assert_same(model, telling_rows(model, MAX_CHUNK + 5, np.random.default_rng(5)))


@pytest.mark.parametrize("kind", ["hist squared_error", "forest", "gradient boosting"])
def test_columns_may_be_views_and_read_only(fitted, telling_rows, assert_same, kind):
    model = fitted(kind)
    X = telling_rows(model, 500, np.random.default_rng(3), np.float32)
    wide = np.repeat(X, 3, axis=1)
    wide.flags.writeable = False

    assert_same(model, X, list(wide[:, ::3].T))
    assert_same(model, X, list(np.asfortranarray(X).T))
    assert_same(model, X[::-2], [column[::-2] for column in X.T])


@pytest.mark.parametrize("kind", ["hist squared_error", "forest", "gradient boosting"])
def test_columns_may_be_of_several_types(fitted, assert_same, kind):
    model = fitted(kind)
    whole = np.random.default_rng(3).integers(-3, 3, (300, 4))
    first, second, third, fourth = whole.T
    mixed = [first.astype(np.int8), second.astype(np.float32), third, fourth > 0]
    assert_same(model, np.column_stack(mixed), mixed)
    assert_same(model, whole.astype(np.float16))
    assert_same(model, whole.astype(">f8"))

    # More than a float64 can tell apart.
    factors = np.arange(-3, 7).repeat(2).reshape(20, 1)
    assert_same(model, np.full((20, 4), 2**60 + 2**36 + 1) * factors)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_wide_forest_of_deep_trees(assert_same, dtype):
    chance = np.random.default_rng(2)
    X = chance.normal(size=(4000, 150)).astype(dtype)
    model = ensemble.RandomForestClassifier(5, random_state=1)

    assert_same(model.fit(X, chance.integers(0, 3, 4000)), X)


def test_a_forest_whose_trees_were_pruned_by_hand_is_predicted(assert_same):
    """As people do it: nodes are made leaves; those below stay where they were, out of reach."""
    chance = np.random.default_rng(3)
    X = chance.normal(size=(600, 5))
    forest = ensemble.RandomForestRegressor(5, random_state=0).fit(X, chance.normal(size=600))
    for member in forest.estimators_:
        pruned = member.tree_
        small = (pruned.n_node_samples < 40) & (pruned.children_left >= 0)
        pruned.children_left[small] = pruned.children_right[small] = -1

    assert_same(forest, X)


def test_a_leaf_of_minus_zero_stays_minus_zero(assert_same):
    X = np.array([[0.0], [1.0]])
    model = tree.DecisionTreeRegressor().fit(X, [0.0, 1.0])
    model.tree_.value[1] = -0.0

    assert np.signbit(model.predict(X)[0])
    assert_same(model, X)


def test_a_threshold_of_minus_zero_is_zero(assert_same):
    X = np.array([[0.0], [-0.0], [1e-45], [-1e-45]])
    model = tree.DecisionTreeRegressor().fit([[-1.0], [1.0]], [0.0, 1.0])
    model.tree_.threshold[0] = -0.0
    assert_same(model, X)

    hist = ensemble.HistGradientBoostingRegressor(max_iter=1, min_samples_leaf=1)
    hist.fit(X[[0, 2]] * 1e45, [0, 1])
    hist._predictors[0][0].nodes["num_threshold"][0] = -0.0
    assert_same(hist, X)


def test_threads_share_a_kernel(fitted, telling_rows):
    model = fitted("hist squared_error", gaps=True)
    kernel = build_kernel(model)
    tables = [telling_rows(model, 3 * BLOCK, np.random.default_rng(seed)) for seed in range(4)]

    def predict(X):
        predictions, _ = kernel.predict(list(X.T), proba=False)
        return predictions.tobytes()

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(predict, tables * 4))
    assert found == [model.predict(X).tobytes() for X in tables] * 4


def test_the_model_is_left_as_it_was(fitted, assert_same):
    model = fitted("forest", "two strings")
    before = dict(vars(model))

    assert_same(model, np.zeros((3, 4)))
    assert vars(model) == before
