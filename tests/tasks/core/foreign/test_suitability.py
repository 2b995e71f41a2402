"""The kind, the classes and the columns of a model are those of the spec and its table."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tasks.core.errors import RequestError
from tasks.core.foreign.suitability import check_classes, check_kind, order_features
from tasks.core.tables.columns import Column

X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})


def classifier(labels):
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, labels)


@pytest.mark.parametrize(
    ("model", "problem", "words"),
    [
        (Ridge(), "regression", None),
        (make_pipeline(StandardScaler(), Ridge()), "regression", None),
        (LogisticRegression(), "classification", None),
        (
            LogisticRegression(),
            "regression",
            "is a classifier, and `problem: regression` .* a regressor: set `problem: class",
        ),
        (Ridge(), "classification", "is a regressor, .* a classifier: set `problem: regression`"),
        (KMeans(), "regression", "is a clusterer, .* a regressor: fit a regressor"),
        (StandardScaler(), "regression", "is a StandardScaler: it predicts nothing"),
    ],
)
def test_a_model_is_of_the_kind_that_the_problem_asks_for(model, problem, words):
    if words is None:
        check_kind(model, problem)
        return
    with pytest.raises(RequestError, match=words):
        check_kind(model, problem)


@pytest.mark.parametrize(
    ("known", "labels", "unknown"),
    [
        (["no", "yes"], ["no", "yes"], None),
        (["a", "b", "c"], ["a", "b"], None),
        ([0, 1], [False, True], None),
        ([0.0, 1.0], [0, 1], None),
        ([0, 1], ["no", "yes"], "'no', 'yes'"),
        ([0, 1], ["0", "1"], "'0', '1'"),
        ([0, 1], [1, 2], "2"),
        (["no", "yes"], ["No", "yes"], "'No'"),
        (["yes ", "no"], ["no", "yes"], "'yes'"),
    ],
)
def test_a_classifier_knows_every_class_of_the_target(known, labels, unknown):
    """By value and type: 1 and True are the same, 1 and "1" are not."""
    model = classifier((known * 4)[:4])
    if unknown is None:
        check_classes(model, "k", labels)
        return
    shown = ", ".join(repr(label) for label in sorted(known))
    words = f"knows the classes {shown}, and the target 'k' has .*: {unknown} it could never"
    with pytest.raises(RequestError, match=words):
        check_classes(model, "k", labels)


def columns(*names):
    return tuple(Column(name, "numeric") for name in names)


@pytest.mark.parametrize(
    ("fitted", "features", "order", "words"),
    [
        (X, ["a", "b"], ["a", "b"], None),
        (X, ["b", "a"], ["b", "a"], None),
        (X.to_numpy(), ["b", "a"], None, None),
        (X, ["a"], None, r"fitted on column 'b', which the spec's features 'a' do not have"),
        (X, ["a", "B"], None, "fitted on column 'b', which"),
        (X, ["a", "b", "c", "d"], None, "not fitted on columns 'c', 'd', .*`data.drop`"),
        (X.to_numpy(), ["a"], None, "2 columns without names, and the spec has 1 features: 'a'"),
    ],
)
def test_a_model_takes_the_features_of_the_spec_in_its_own_order(fitted, features, order, words):
    model = Ridge().fit(fitted[order] if order else fitted, np.arange(4))
    if words is None:
        found = order_features(model, columns(*sorted(features, reverse=True)))
        expected = order or sorted(features, reverse=True)
        assert found == columns(*expected)
        return
    with pytest.raises(RequestError, match=words):
        order_features(model, columns(*features))
