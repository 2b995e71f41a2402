"""The kernel against scikit-learn itself: every comparison is of bits and types, never of
nearness.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import ensemble, tree
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from tasks.core.model.threads import one_thread
from tasks.core.model.trees.kernel import build_kernel
from tasks.core.model.trees.nodes import UnsupportedError, nodes_of_predictor, nodes_of_tree
from tasks.core.model.trees.programs import BLOCK
from tasks.core.model.trees.walks import MAX_CHUNK

HIST = {"max_iter": 6, "min_samples_leaf": 2, "early_stopping": False}
CLASSES = {
    "two numbers": [0, 1],
    "two texts": ["no", "yes"],
    "booleans": [False, True],
    "five numbers": [10, 20, 30, 40, 50],
    "five texts": list("abcde"),
}
REGRESSORS = {
    **{
        f"hist {loss}": lambda loss=loss: ensemble.HistGradientBoostingRegressor(
            loss=loss, quantile=0.3, **HIST
        )
        for loss in ["squared_error", "absolute_error", "gamma", "poisson", "quantile"]
    },
    "hist stumps": lambda: ensemble.HistGradientBoostingRegressor(
        max_iter=5, min_samples_leaf=10_000
    ),
    "hist 256 leaves": lambda: ensemble.HistGradientBoostingRegressor(
        **HIST, max_leaf_nodes=256, max_bins=255
    ),
    "hist 400 leaves": lambda: ensemble.HistGradientBoostingRegressor(**HIST, max_leaf_nodes=400),
    "hist chain": lambda: ensemble.HistGradientBoostingRegressor(**HIST, max_bins=2, max_depth=3),
    "forest": lambda: ensemble.RandomForestRegressor(7, random_state=0),
    "extra trees": lambda: ensemble.ExtraTreesRegressor(5, random_state=0),
    "tree": lambda: tree.DecisionTreeRegressor(random_state=0),
    "tree of one leaf": lambda: tree.DecisionTreeRegressor(min_samples_leaf=10_000),
    "extra tree": lambda: tree.ExtraTreeRegressor(random_state=0),
    "gradient boosting": lambda: ensemble.GradientBoostingRegressor(n_estimators=7, random_state=0),
    "deep gradient boosting": lambda: ensemble.GradientBoostingRegressor(
        n_estimators=3, max_depth=None
    ),
    "gradient boosting from zero": lambda: ensemble.GradientBoostingRegressor(
        n_estimators=3, init="zero"
    ),
}
CLASSIFIERS = {
    "hist": lambda: ensemble.HistGradientBoostingClassifier(**HIST),
    "hist 400 leaves": lambda: ensemble.HistGradientBoostingClassifier(**HIST, max_leaf_nodes=400),
    "forest": lambda: ensemble.RandomForestClassifier(7, random_state=0),
    "extra trees": lambda: ensemble.ExtraTreesClassifier(5, random_state=0),
    "tree": lambda: tree.DecisionTreeClassifier(random_state=0),
    "tree of one leaf": lambda: tree.DecisionTreeClassifier(min_samples_leaf=10_000),
    "extra tree": lambda: tree.ExtraTreeClassifier(random_state=0),
    "gradient boosting": lambda: ensemble.GradientBoostingClassifier(
        n_estimators=4, random_state=0
    ),
    "deep gradient boosting": lambda: ensemble.GradientBoostingClassifier(
        n_estimators=6, max_depth=12
    ),
}
FEATURES = 4
EXTREMES = [0.0, -0.0, 1e-45, -1e-45, 1e30, -1e30]


@pytest.fixture(scope="module", autouse=True)
def _single_threaded():
    with one_thread():
        yield


def takes_gaps(model) -> bool:
    return (
        not type(model).__name__.startswith("Gradient")
        and model.__sklearn_tags__().input_tags.allow_nan
    )


def takes_infinity(model) -> bool:
    return type(model).__name__.startswith("Hist")


@cache
def fitted(kind: str, labels: str | None, seed: int, *, gaps: bool):
    chance = np.random.default_rng(seed)
    model = CLASSIFIERS[kind]() if labels else REGRESSORS[kind]()
    X = chance.normal(size=(700, FEATURES)).round(2)
    signal = np.abs(X @ chance.normal(size=FEATURES) + np.sin(5 * X[:, 0])) + 0.1
    if gaps and takes_gaps(model):
        X[chance.random(X.shape) < 0.2] = np.nan
    if not labels:
        return model.fit(X, signal)
    classes = np.asarray(CLASSES[labels])
    return model.fit(
        X,
        classes[
            np.digitize(signal, np.quantile(signal, np.linspace(0, 1, len(classes) + 1)[1:-1]))
        ],
    )


def every_tree(model):
    if takes_infinity(model):
        return [nodes_of_predictor(predictor) for trees in model._predictors for predictor in trees]
    members = np.ravel(getattr(model, "estimators_", [model]))
    return [nodes_of_tree(member.tree_, "a tree") for member in members]


def telling_rows(model, rows: int, chance: np.random.Generator, dtype=np.float64):
    """Rows that hit thresholds, their neighbours of either width, and whatever else the model
    takes.
    """
    thresholds = [EXTREMES, chance.normal(size=9)]
    thresholds += [
        nodes.threshold[~nodes.is_leaf & np.isfinite(nodes.threshold)]
        for nodes in every_tree(model)
    ]
    exact = np.concatenate(thresholds)
    with np.errstate(over="ignore"):
        narrow = exact.astype(np.float32)
    near = [
        np.nextafter(numbers, numbers.dtype.type(way))
        for numbers in (exact, narrow)
        for way in (-np.inf, np.inf)
    ]
    values = np.concatenate([exact, narrow, *near])
    values = values[np.isfinite(values)]
    wild = [np.nan] * takes_gaps(model) + [np.inf, -np.inf, 1e300, -1e300] * takes_infinity(model)
    X = chance.choice(values, (rows, FEATURES))
    if wild:
        X = np.where(chance.random(X.shape) < 0.1, chance.choice(wild, X.shape), X)
    with np.errstate(over="ignore"):
        return X.astype(dtype)


def bits(array):
    return array.view(np.int64) if array.dtype == np.float64 else array


def assert_same(model, X, columns=None, kernel=None):
    """Assert that the kernel answers what the model answers, to the last bit."""
    proba = hasattr(model, "predict_proba")
    columns = list(np.asarray(X).T) if columns is None else columns
    predictions, probabilities = (kernel or build_kernel(model)).predict(columns, proba=proba)
    expected = model.predict(X)
    assert predictions.dtype == expected.dtype
    np.testing.assert_array_equal(bits(predictions), bits(expected))
    if proba:
        expected = model.predict_proba(X)
        assert (probabilities.dtype, probabilities.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(
            bits(np.ascontiguousarray(probabilities)), bits(np.ascontiguousarray(expected))
        )
    else:
        assert probabilities is None


seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("kind", REGRESSORS)
@settings(max_examples=30)
@given(
    seeds,
    st.integers(0, 1),
    st.booleans(),
    st.sampled_from([np.float32, np.float64]),
    st.integers(1, 300),
)
def test_a_regressor_is_answered_for_to_the_last_bit(kind, seed, model_seed, gaps, dtype, rows):
    model = fitted(kind, None, model_seed, gaps=gaps)
    assert_same(model, telling_rows(model, rows, np.random.default_rng(seed), dtype))


@pytest.mark.parametrize("labels", CLASSES)
@pytest.mark.parametrize("kind", CLASSIFIERS)
@settings(max_examples=10)
@given(seeds, st.booleans(), st.sampled_from([np.float32, np.float64]), st.integers(1, 300))
def test_a_classifier_is_answered_for_to_the_last_bit_whatever_its_labels(
    kind, labels, seed, gaps, dtype, rows
):
    model = fitted(kind, labels, 0, gaps=gaps)
    assert_same(model, telling_rows(model, rows, np.random.default_rng(seed), dtype))


@settings(max_examples=100)
@given(seeds, st.integers(2, 40), st.integers(1, 6), st.integers(2, 255))
def test_whatever_the_data_boosting_was_fitted_on(seed, leaves, iterations, bins):
    chance = np.random.default_rng(seed)
    X = chance.choice(
        [chance.normal(), 1e300, -1e300, np.nan, 0.0, *chance.normal(size=50)], (400, FEATURES)
    )
    model = ensemble.HistGradientBoostingRegressor(
        max_iter=iterations,
        max_leaf_nodes=leaves,
        max_bins=bins,
        min_samples_leaf=1,
        early_stopping=False,
    )
    model.fit(X, chance.normal(size=400))
    assert_same(model, telling_rows(model, 200, chance))


def test_a_feature_may_have_254_thresholds_and_another_for_what_is_missing():
    X = np.r_[np.arange(2000.0), np.full(500, np.nan)].reshape(-1, 1)
    y = np.r_[np.random.default_rng(0).normal(size=2000), np.full(500, -99.0)]
    model = ensemble.HistGradientBoostingRegressor(
        max_iter=9, max_leaf_nodes=256, min_samples_leaf=1, max_bins=255, early_stopping=False
    ).fit(X, y)
    used = np.unique(
        np.concatenate([nodes.threshold[~nodes.is_leaf] for nodes in every_tree(model)])
    )
    assert len(used) == 255
    assert used[-1] == np.inf
    assert_same(
        model,
        np.r_[
            X, [[np.inf], [-np.inf]], used.reshape(-1, 1), np.nextafter(used, 9e9).reshape(-1, 1)
        ],
    )


@pytest.mark.parametrize("rows", [1, 63, 64, 65, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 100])
@pytest.mark.parametrize("kind", ["hist squared_error", "hist 400 leaves", "forest"])
def test_any_number_of_rows_is_answered(kind, rows):
    model = fitted(kind, None, 0, gaps=True)
    assert_same(model, telling_rows(model, rows, np.random.default_rng(rows)))


def test_more_rows_than_a_chunk_are_answered():
    model = fitted("tree", None, 0, gaps=False)
    assert_same(model, telling_rows(model, MAX_CHUNK + 5, np.random.default_rng(5)))


@pytest.mark.parametrize("kind", ["hist", "forest", "tree", "gradient boosting"])
def test_no_rows_are_refused_as_scikit_learn_does(kind):
    model = fitted(kind, "two texts", 0, gaps=False)
    X = np.empty((0, FEATURES))
    for ask in (model.predict, lambda X: build_kernel(model).predict(list(X.T), proba=False)):
        with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
            ask(X)


@pytest.mark.parametrize("kind", ["hist squared_error", "forest", "gradient boosting"])
def test_columns_may_be_views_and_read_only_and_of_several_types(kind):
    model, chance = fitted(kind, None, 0, gaps=False), np.random.default_rng(3)
    X = telling_rows(model, 500, chance, np.float32)
    wide = np.repeat(X, 3, axis=1)
    wide.flags.writeable = False
    assert_same(model, X, list(wide[:, ::3].T))
    assert_same(model, X, list(np.asfortranarray(X).T))
    assert_same(model, X[::-2], [column[::-2] for column in X.T])
    whole = chance.integers(-3, 3, (300, FEATURES))
    mixed = [
        whole[:, 0].astype(np.int8),
        whole[:, 1].astype(np.float32),
        whole[:, 2],
        whole[:, 3] > 0,
    ]
    assert_same(model, np.column_stack(mixed), mixed)
    assert_same(model, whole.astype(np.float16))
    assert_same(model, whole.astype(">f8"))
    large = np.full((20, FEATURES), 2**60 + 2**36 + 1) * np.arange(-3, 7).repeat(2).reshape(20, 1)
    assert_same(model, large)


@pytest.mark.parametrize("kind", ["hist", "forest", "tree", "gradient boosting"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e39])
def test_a_value_is_refused_where_scikit_learn_refuses_it_in_the_same_words(kind, bad):
    model = fitted(kind, "two numbers", 0, gaps=False)
    X = np.zeros((30, FEATURES))
    X[17, 2] = bad
    if takes_infinity(model) or (takes_gaps(model) and np.isnan(bad)):
        assert_same(model, X)
        return
    said = []
    for ask in (model.predict, lambda X: build_kernel(model).predict(list(X.T), proba=False)):
        with (
            np.errstate(over="ignore"),
            pytest.raises(ValueError, match="Input X contains ") as found,
        ):
            ask(X)
        said.append(str(found.value).splitlines()[0])
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            [np.zeros(3)] * 3,
            "X has 3 features, but HistGradientBoostingClassifier is expecting 4 features as input.",
        ),
        (
            [np.zeros(3)] * 3 + [np.zeros(4)],
            "the columns are of the shapes (3,), (4,): all must be (rows,)",
        ),
        ([np.zeros((3, 1))] * 4, "the columns are of the shapes (3, 1): all must be (rows,)"),
        (
            [np.zeros(3, object)] * 4,
            "column 0 is of type object: the kernel takes numbers and booleans",
        ),
    ],
)
def test_columns_that_are_no_rows_of_the_model_are_refused(columns, words):
    with pytest.raises(ValueError) as found:  # noqa: PT011 - its words are compared
        build_kernel(fitted("hist", "two numbers", 0, gaps=False)).predict(columns, proba=False)
    assert str(found.value) == words


def test_probabilities_of_a_regressor_are_refused():
    with pytest.raises(ValueError, match="DecisionTreeRegressor gives no probabilities"):
        build_kernel(fitted("tree", None, 0, gaps=False)).predict([np.zeros(3)] * 4, proba=True)


@cache
def with_categories(gaps: bool, labels: str | None = None, most: int = 30):
    chance = np.random.default_rng(11)
    X = np.column_stack(
        [chance.normal(size=3000), chance.integers(0, most, 3000), chance.integers(3, 7, 3000)]
    )
    noise = chance.permutation(most)[X[:, 1].astype(int)] % 5
    y = X[:, 0] + noise + (X[:, 2] == 4)
    if gaps:
        X[chance.random(X.shape) < 0.1] = np.nan
    if labels:
        y = np.asarray(CLASSES[labels])[np.digitize(y, [2, 3, 4, 5][: len(CLASSES[labels]) - 1])]
    kind = (
        ensemble.HistGradientBoostingClassifier
        if labels
        else ensemble.HistGradientBoostingRegressor
    )
    model = kind(**HIST, categorical_features=[1, 2], max_bins=255)
    return model.fit(X, y), X


@pytest.mark.parametrize("labels", [None, "two texts", "five numbers"])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("most", [30, 250])
def test_native_categories_known_or_not_or_missing(gaps, labels, most):
    model, X = with_categories(gaps, labels, most)
    assert any((nodes.category_set >= 0).any() for nodes in every_tree(model))
    chance = np.random.default_rng(12)
    strange = chance.choice([-1, 0, 4, 4.5, 254, 255, 256, 1e9, np.nan, -0.0], X.shape)
    strange[:, 0] = chance.normal(size=len(X))
    assert_same(model, X)
    assert_same(model, strange)


def test_a_model_with_categories_that_was_fitted_on_a_frame_knows_its_names():
    _, X = with_categories(gaps=False)
    frame = pd.DataFrame(X, columns=["size", "city", "side"])
    model = ensemble.HistGradientBoostingRegressor(**HIST, categorical_features=["city", "side"])
    model.fit(frame, np.arange(len(X)))
    assert_same(model, frame, [frame[name].to_numpy() for name in frame])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_wide_forest_of_deep_trees(dtype):
    chance = np.random.default_rng(2)
    X = chance.normal(size=(4000, 150)).astype(dtype)
    model = ensemble.RandomForestClassifier(5, random_state=1).fit(X, chance.integers(0, 3, 4000))
    assert_same(model, X)


def test_a_forest_whose_trees_were_pruned_by_hand_is_answered():
    """Nodes are made leaves as people do it: what was below them stays where it was, and nothing
    leads there.
    """
    chance = np.random.default_rng(3)
    X = chance.normal(size=(600, 5))
    forest = ensemble.RandomForestRegressor(5, random_state=0).fit(X, chance.normal(size=600))
    for pruned in (estimator.tree_ for estimator in forest.estimators_):
        small = (pruned.n_node_samples < 40) & (pruned.children_left >= 0)
        pruned.children_left[small] = pruned.children_right[small] = -1
    assert_same(forest, X)


def test_a_leaf_of_minus_zero_stays_minus_zero():
    model = tree.DecisionTreeRegressor().fit([[0.0], [1.0]], [0.0, 1.0])
    model.tree_.value[1] = -0.0
    X = np.array([[0.0], [1.0]])
    assert np.signbit(model.predict(X)[0])
    assert_same(model, X)


def test_a_threshold_of_minus_zero_is_zero():
    X = np.array([[0.0], [-0.0], [1e-45], [-1e-45]])
    model = tree.DecisionTreeRegressor().fit([[-1.0], [1.0]], [0.0, 1.0])
    model.tree_.threshold[0] = -0.0
    assert_same(model, X)
    model = ensemble.HistGradientBoostingRegressor(max_iter=1, min_samples_leaf=1).fit(
        X[[0, 2]] * 1e45, [0, 1]
    )
    model._predictors[0][0].nodes["num_threshold"][0] = -0.0
    assert_same(model, X)


def test_threads_share_a_kernel():
    model = fitted("hist squared_error", None, 0, gaps=True)
    kernel = build_kernel(model)
    tables = [telling_rows(model, 3 * BLOCK, np.random.default_rng(seed)) for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda X: kernel.predict(list(X.T), proba=False)[0], tables * 4))
    for X, predictions in zip(tables * 4, found, strict=True):
        np.testing.assert_array_equal(bits(predictions), bits(model.predict(X)))


def test_the_model_is_left_as_it_was():
    model = fitted("forest", "two texts", 0, gaps=False)
    before = dict(vars(model))
    assert_same(model, np.zeros((3, FEATURES)))
    assert vars(model) == before


class Own(ensemble.RandomForestClassifier):
    """Somebody's forest, which may answer as it likes."""


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda X, y: SVC().fit(X, y), "the kernel does not know sklearn.svm._classes.SVC"),
        (lambda X, y: Own(2).fit(X, y), "does not know .*Own"),
        (
            lambda X, y: ensemble.RandomForestClassifier(2).fit(X, np.column_stack([y, y])),
            "with several outputs",
        ),
        (
            lambda X, y: tree.DecisionTreeRegressor().fit(X, np.column_stack([y, y])),
            "with several outputs",
        ),
        (
            lambda X, y: ensemble.GradientBoostingClassifier(
                n_estimators=2, init=LogisticRegression()
            ).fit(X, y),
            "GradientBoosting that begins with LogisticRegression",
        ),
    ],
)
def test_what_the_kernel_does_not_know_it_says(make, words):
    chance = np.random.default_rng(0)
    with pytest.raises(UnsupportedError, match=words):
        build_kernel(make(chance.normal(size=(60, 3)), chance.integers(0, 2, 60)))


@pytest.mark.parametrize(
    ("threshold", "words"), [(np.nan, "not numbers"), (None, "feature 0 has 300 thresholds")]
)
def test_thresholds_that_no_byte_can_tell_are_not_supported(threshold, words):
    X = np.arange(600.0).reshape(-1, 1)
    model = ensemble.HistGradientBoostingRegressor(
        max_iter=300, max_leaf_nodes=2, min_samples_leaf=1
    ).fit(X, X[:, 0])
    for number, (predictor,) in enumerate(model._predictors):
        predictor.nodes["num_threshold"][0] = number if threshold is None else threshold
    with pytest.raises(UnsupportedError, match=words):
        build_kernel(model)


def test_large_trees_with_categories_are_not_supported():
    _, X = with_categories(gaps=False)
    model = ensemble.HistGradientBoostingRegressor(
        **HIST, max_leaf_nodes=400, categorical_features=[1]
    )
    model.fit(X, np.random.default_rng(0).normal(size=len(X)))
    with pytest.raises(UnsupportedError, match="more than 256 leaves that split by categories"):
        build_kernel(model)


def test_leaves_that_are_not_finite_are_not_supported():
    model = tree.DecisionTreeRegressor().fit([[0.0], [1.0]], [0.0, 1.0])
    model.tree_.value[1] = np.inf
    with pytest.raises(UnsupportedError, match="leaves whose values are not finite"):
        build_kernel(model)


def test_where_nothing_compiles_nothing_is_supported(monkeypatch):
    monkeypatch.setitem(sys.modules, "tasks.core.model.trees.loops", None)
    with pytest.raises(UnsupportedError, match="numba cannot compile the kernel here"):
        build_kernel(fitted("tree", None, 0, gaps=False))


def test_importing_the_kernel_imports_no_compiler():
    code = "import sys, tasks.core.model.trees.kernel; print('numba' in sys.modules, 'sklearn' in sys.modules)"
    assert subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split() == [
        "False",
        "False",
    ]


def test_a_second_process_finds_the_compiled_loops():
    code = (
        "from tasks.core.model.trees import loops;"
        "found = [loop.stats for loop in (loops.code_ranks, loops.add_programs, loops.order_keys, loops.add_walks)];"
        "print(sum(sum(stats.cache_misses.values()) for stats in found))"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
    assert done.stdout.strip() == "0"
