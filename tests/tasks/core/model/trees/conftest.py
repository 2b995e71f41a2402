"""What the tests of the kernel share: models, rows that tell models apart, and the comparison."""

from functools import cache, partial

import numpy as np
import pytest
from sklearn import ensemble, tree

from tasks.core.model.threads import one_thread
from tasks.core.model.trees.kernel import build_kernel
from tasks.core.model.trees.nodes import nodes_of_predictor, nodes_of_tree

HIST = {"max_iter": 6, "min_samples_leaf": 2, "early_stopping": False}
LOSSES = ["squared_error", "absolute_error", "gamma", "poisson", "quantile"]
CLASSES = {
    "two numbers": [0, 1],
    "two strings": ["no", "yes"],
    "booleans": [False, True],
    "five numbers": [10, 20, 30, 40, 50],
    "five strings": list("abcde"),
}

hist = partial(ensemble.HistGradientBoostingRegressor, **HIST)
hist_classifier = partial(ensemble.HistGradientBoostingClassifier, **HIST)
boosting = partial(ensemble.GradientBoostingRegressor, random_state=0)
boosting_classifier = partial(ensemble.GradientBoostingClassifier, random_state=0)

REGRESSORS = {
    **{f"hist {loss}": partial(hist, loss=loss, quantile=0.3) for loss in LOSSES},
    "hist stumps": partial(hist, max_iter=5, min_samples_leaf=10_000),
    "hist 256 leaves": partial(hist, max_leaf_nodes=256, max_bins=255),
    "hist 400 leaves": partial(hist, max_leaf_nodes=400),
    "hist chain": partial(hist, max_bins=2, max_depth=3),
    "forest": partial(ensemble.RandomForestRegressor, 7, random_state=0),
    "extra trees": partial(ensemble.ExtraTreesRegressor, 5, random_state=0),
    "tree": partial(tree.DecisionTreeRegressor, random_state=0),
    "tree of one leaf": partial(tree.DecisionTreeRegressor, min_samples_leaf=10_000),
    "extra tree": partial(tree.ExtraTreeRegressor, random_state=0),
    "gradient boosting": partial(boosting, n_estimators=7),
    "deep gradient boosting": partial(boosting, n_estimators=3, max_depth=None),
    "gradient boosting from zero": partial(boosting, n_estimators=3, init="zero"),
}
CLASSIFIERS = {
    "hist": hist_classifier,
    "hist 400 leaves": partial(hist_classifier, max_leaf_nodes=400),
    "forest": partial(ensemble.RandomForestClassifier, 7, random_state=0),
    "extra trees": partial(ensemble.ExtraTreesClassifier, 5, random_state=0),
    "tree": partial(tree.DecisionTreeClassifier, random_state=0),
    "tree of one leaf": partial(tree.DecisionTreeClassifier, min_samples_leaf=10_000),
    "extra tree": partial(tree.ExtraTreeClassifier, random_state=0),
    "gradient boosting": partial(boosting_classifier, n_estimators=4),
    "deep gradient boosting": partial(boosting_classifier, n_estimators=6, max_depth=12),
}
FEATURES = 4
EXTREMES = [0.0, -0.0, 1e-45, -1e-45, 1e30, -1e30]


@pytest.fixture(scope="module", autouse=True)
def _single_threaded():
    with one_thread():
        yield


@pytest.fixture(scope="session", params=REGRESSORS)
def regressor(request):
    """The name of a kind of regressor."""
    return request.param


@pytest.fixture(scope="session", params=CLASSIFIERS)
def classifier(request):
    """The name of a kind of classifier."""
    return request.param


@pytest.fixture(scope="session", params=CLASSES)
def labels(request):
    """The name of some classes."""
    return request.param


@pytest.fixture(scope="session")
def fitted():
    """Fit a kind of model by its name: a regressor, or with `labels` a classifier."""

    @cache
    def fit(kind, labels=None, seed=0, *, gaps=False):
        model = CLASSIFIERS[kind]() if labels else REGRESSORS[kind]()
        chance = np.random.default_rng(seed)
        X = chance.normal(size=(700, FEATURES)).round(2)
        weights = chance.normal(size=FEATURES)
        signal = np.abs(X @ weights + np.sin(5 * X[:, 0])) + 0.1
        if gaps and takes_gaps(model):
            X[chance.random(X.shape) < 0.2] = np.nan

        if not labels:
            return model.fit(X, signal)
        return model.fit(X, classes_of(signal, CLASSES[labels]))

    return fit


def classes_of(signal, names):
    """Turn numbers into classes of about the same size."""
    shares = np.linspace(0, 1, len(names) + 1)
    edges = np.quantile(signal, shares[1:-1])
    return np.asarray(names)[np.digitize(signal, edges)]


def takes_gaps(model):
    if type(model).__name__.startswith("Gradient"):
        return False
    return model.__sklearn_tags__().input_tags.allow_nan


def takes_infinity(model):
    return type(model).__name__.startswith("Hist")


@pytest.fixture(scope="session")
def every_tree():
    """List the nodes of each tree of a model."""
    return trees_of


def trees_of(model):
    if takes_infinity(model):
        return [nodes_of_predictor(tree) for trees in model._predictors for tree in trees]
    members = np.ravel(getattr(model, "estimators_", [model]))
    return [nodes_of_tree(member.tree_, "a tree") for member in members]


@pytest.fixture(scope="session")
def telling_rows():
    """Make rows that hit thresholds, their neighbours of either width, and the odd values."""

    def make(model, rows, chance, dtype=np.float64):
        values = neighbours(np.concatenate([EXTREMES, chance.normal(size=9), *thresholds(model)]))
        X = chance.choice(values, (rows, FEATURES))
        odd = odd_values(model)
        if odd:
            X = np.where(chance.random(X.shape) < 0.1, chance.choice(odd, X.shape), X)
        with np.errstate(over="ignore"):
            return X.astype(dtype)

    return make


def thresholds(model):
    """List the finite thresholds of each tree."""
    for nodes in trees_of(model):
        used = nodes.threshold[~nodes.is_leaf]
        yield used[np.isfinite(used)]


def neighbours(exact):
    """List numbers, rounded to float32 too, and the next above and below each."""
    with np.errstate(over="ignore"):
        narrow = exact.astype(np.float32)

    values = []
    for numbers in (exact, narrow):
        infinity = numbers.dtype.type(np.inf)
        values += [numbers, np.nextafter(numbers, -infinity), np.nextafter(numbers, infinity)]
    together = np.concatenate(values)
    return together[np.isfinite(together)]


def odd_values(model):
    """List what some models take, and others refuse."""
    odd = []
    if takes_gaps(model):
        odd += [np.nan]
    if takes_infinity(model):
        odd += [np.inf, -np.inf, 1e300, -1e300]
    return odd


@pytest.fixture(scope="session")
def assert_same():
    """Assert that the kernel predicts what the model predicts, to the last bit."""

    def compare(model, X, columns=None):
        proba = hasattr(model, "predict_proba")
        columns = list(np.asarray(X).T) if columns is None else columns
        predictions, probabilities = build_kernel(model).predict(columns, proba=proba)
        assert_same_bits(predictions, model.predict(X))
        if proba:
            assert_same_bits(probabilities, model.predict_proba(X))
        else:
            assert probabilities is None

    return compare


def assert_same_bits(found, expected):
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(bits(found), bits(expected))


def bits(array):
    """Show each number as an integer; labels stay as they are."""
    whole = np.ascontiguousarray(array)
    return whole.view(np.int64) if whole.dtype == np.float64 else whole
