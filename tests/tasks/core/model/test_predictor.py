import numpy as np
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from tasks.core.errors import AfterfitError
from tasks.core.model.categories import known_categories
from tasks.core.model.predictor import KERNEL, LIBRARY, make_predictor, same_predictions
from tasks.core.model.trees import kernel
from tasks.core.predictions import Predictions
from tasks.core.tables.columns import Column, feature_columns
from tasks.core.tables.frames import to_frame

TREES = [
    ("sklearn.ensemble.HistGradientBoostingRegressor", {"max_iter": 20}),
    ("sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": 10}),
    ("sklearn.ensemble.RandomForestRegressor", {"n_estimators": 20, "n_jobs": 2}),
    ("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 20}),
    ("sklearn.ensemble.ExtraTreesClassifier", {"n_estimators": 20}),
    ("sklearn.tree.DecisionTreeRegressor", {}),
]
NUMBERS = (Column("a", "numeric"), Column("b", "numeric"))


@pytest.mark.parametrize(
    ("name", "params"), TREES, ids=[name.rsplit(".", 1)[1] for name, _ in TREES]
)
def test_a_pipeline_of_trees_is_answered_by_the_kernel_as_by_scikit_learn_to_the_last_bit(
    mixed, fitted, name, params
):
    pipeline = fitted(name, **params)
    features = feature_columns(mixed.schema, [])
    proba = hasattr(pipeline, "predict_proba")
    library = make_predictor(pipeline, features)
    fast = make_predictor(pipeline, features, mixed, proba=proba)
    assert (library.scored_by, fast.scored_by, fast.note) == (LIBRARY, KERNEL, "")
    for piece in (mixed, mixed.slice(0, 1), mixed.slice(37, 101)):
        assert same_predictions(
            library.predict(piece, proba=proba), fast.predict(piece, proba=proba)
        )


@pytest.fixture
def numbers():
    """Rows of a float32 and of an integer with gaps, and the classes that trees are fitted to."""
    chance = np.random.default_rng(3)
    a = chance.normal(size=300).astype(np.float32)
    table = pa.table(
        {"b": pa.array(chance.integers(0, 9, 300), mask=chance.random(300) < 0.1), "a": a}
    )
    return table, (a > 0).astype(np.int64)


def test_columns_of_numbers_go_to_the_kernel_without_a_row_matrix_in_the_order_of_the_model(
    numbers,
):
    table, y = numbers
    passed = ColumnTransformer([("all", "passthrough", ["b", "a"])])
    pipeline = make_pipeline(passed, HistGradientBoostingClassifier(max_iter=20)).fit(
        to_frame(table, NUMBERS), y
    )
    fast = make_predictor(pipeline, NUMBERS, table, proba=True)
    assert (fast.plain, fast.scored_by) == (("b", "a"), KERNEL)
    assert same_predictions(
        make_predictor(pipeline, NUMBERS).predict(table, proba=True),
        fast.predict(table, proba=True),
    )


class Wrong:
    """A kernel whose last bit differs in one row."""

    def __init__(self, estimator):
        self.estimator = estimator

    def predict(self, columns, *, proba):
        predictions = self.estimator.predict(np.column_stack(columns))
        predictions[7] = np.nextafter(predictions[7], np.inf)
        return predictions, self.estimator.predict_proba(
            np.column_stack(columns)
        ) if proba else None


def test_a_kernel_that_answers_otherwise_is_not_used_and_the_reason_is_told(numbers, monkeypatch):
    table, y = numbers
    table = table.set_column(0, "b", table["a"])
    forest = RandomForestRegressor(5).fit(to_frame(table, NUMBERS).to_numpy(), y)
    pipeline = make_pipeline(ColumnTransformer([("all", "passthrough", ["a", "b"])]), forest)
    pipeline[0].fit(to_frame(table, NUMBERS))
    monkeypatch.setattr(kernel, "build_kernel", Wrong)
    found = make_predictor(pipeline, NUMBERS, table)
    assert (found.scored_by, found.note) == (LIBRARY, "the kernel answered otherwise")
    assert same_predictions(
        found.predict(table, proba=False),
        make_predictor(pipeline, NUMBERS).predict(table, proba=False),
    )


def test_a_model_without_trees_is_answered_by_scikit_learn_and_the_reason_is_told(mixed, fitted):
    found = make_predictor(
        fitted("sklearn.linear_model.Ridge"), feature_columns(mixed.schema, []), mixed
    )
    assert (found.scored_by, found.kernel) == (LIBRARY, None)
    assert "Ridge" in found.note


def test_rows_that_the_model_refuses_are_an_error_with_its_reason(mixed, fitted):
    table = mixed.slice(0, 2).set_column(0, "number", pa.array([1.0, np.inf]))
    features = feature_columns(mixed.schema, [])
    for found in (
        make_predictor(fitted("sklearn.linear_model.Ridge"), features),
        make_predictor(
            fitted("sklearn.ensemble.RandomForestRegressor", n_estimators=3), features, mixed
        ),
    ):
        with pytest.raises(AfterfitError, match=r"cannot score these rows: .*infinity"):
            found.predict(table, proba=False)


@pytest.mark.parametrize(
    "name",
    [
        "linear_model.LogisticRegression",
        "ensemble.HistGradientBoostingClassifier",
        "ensemble.ExtraTreesClassifier",
        "ensemble.RandomForestClassifier",
        "tree.DecisionTreeClassifier",
        "neighbors.KNeighborsClassifier",
    ],
)
def test_predictions_and_probabilities_are_those_that_the_pipeline_gives_when_asked_for_each(
    mixed, fitted, name
):
    """They are the same though what both are made of is computed once."""
    pipeline = fitted(f"sklearn.{name}")
    features = feature_columns(mixed.schema, [])
    predictions = make_predictor(pipeline, features).predict(mixed, proba=True)
    frame = to_frame(mixed, features)
    assert same_predictions(
        predictions,
        Predictions(np.asarray(pipeline.predict(frame)), np.asarray(pipeline.predict_proba(frame))),
    )
    assert predictions.classes == tuple(pipeline.classes_)


@pytest.mark.parametrize("name", ["LogisticRegression", "Ridge"])
def test_the_categories_an_encoder_was_fitted_on_are_known(mixed, fitted, name):
    found = known_categories(fitted(f"sklearn.linear_model.{name}"))
    assert {column: sorted(values.to_pylist()) for column, values in found.items()} == {
        "city": ["NA", "Oslo", "Windhoek", "東京"],
        "side": ["left", "right"],
    }
    assert known_categories(Ridge()) == {}
