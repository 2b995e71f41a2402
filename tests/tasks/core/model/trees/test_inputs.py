"""What is no input of a model is refused as scikit-learn refuses it."""

import numpy as np
import pytest

from tasks.core.model.trees.kernel import build_kernel

HIST = "HistGradientBoostingClassifier"
WILD = [np.inf, -np.inf, 1e39]


def by_kernel(model, X):
    return build_kernel(model).predict(list(X.T), proba=False)


def by_library(model, X):
    return model.predict(X)


def refusal(predict, model, X, words):
    """What is said against X, in its first line, which begins with some words."""
    with np.errstate(over="ignore"), pytest.raises(ValueError, match=f"^{words}") as found:
        predict(model, X)
    return str(found.value).splitlines()[0]


def with_value(value):
    X = np.zeros((30, 4))
    X[17, 2] = value
    return X


@pytest.mark.parametrize("kind", ["hist", "forest", "tree", "gradient boosting"])
def test_no_rows_are_refused_as_scikit_learn_does(fitted, kind):
    model = fitted(kind, "two strings")
    X = np.empty((0, 4))
    for predict in (by_library, by_kernel):
        assert refusal(predict, model, X, r"Found array with 0 sample\(s\)")


@pytest.mark.parametrize("value", [np.nan, *WILD])
def test_boosting_over_bins_takes_every_value(fitted, assert_same, value):
    assert_same(fitted("hist", "two numbers"), with_value(value))


@pytest.mark.parametrize("kind", ["forest", "tree"])
def test_trees_take_a_missing_value(fitted, assert_same, kind):
    assert_same(fitted(kind, "two numbers"), with_value(np.nan))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[(kind, value) for kind in ("forest", "tree") for value in WILD],
        *[("gradient boosting", value) for value in (np.nan, *WILD)],
    ],
)
def test_a_value_is_refused_where_scikit_learn_refuses_it_in_its_words(fitted, kind, value):
    model = fitted(kind, "two numbers")
    X = with_value(value)
    said = refusal(by_library, model, X, "Input X contains ")

    assert refusal(by_kernel, model, X, "Input X contains ") == said


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            [np.zeros(3)] * 3,
            f"X has 3 features, but {HIST} is expecting 4 features as input.",
        ),
        (
            [*[np.zeros(3)] * 3, np.zeros(4)],
            "the columns are of the shapes (3,), (4,): all must be (rows,)",
        ),
        (
            [np.zeros((3, 1))] * 4,
            "the columns are of the shapes (3, 1): all must be (rows,)",
        ),
        (
            [np.zeros(3, object)] * 4,
            "column 0 is of type object: the kernel takes numbers and booleans",
        ),
    ],
)
def test_columns_that_are_no_rows_of_the_model_are_refused(fitted, columns, words):
    kernel = build_kernel(fitted("hist", "two numbers"))
    with pytest.raises(ValueError, match=" ") as found:
        kernel.predict(columns, proba=False)
    assert str(found.value) == words


def test_probabilities_of_a_regressor_are_refused(fitted):
    kernel = build_kernel(fitted("tree"))
    with pytest.raises(ValueError, match="DecisionTreeRegressor gives no probabilities"):
        kernel.predict([np.zeros(3)] * 4, proba=True)
