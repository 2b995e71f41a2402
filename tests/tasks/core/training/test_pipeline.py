import numpy as np
import pytest

from tasks.core.tables.columns import Column
from tasks.core.tables.frames import to_frame
from tasks.core.training.candidates import make_estimator
from tasks.core.training.pipeline import build_pipeline

RIDGE = "sklearn.linear_model.Ridge"
FOREST = "sklearn.ensemble.RandomForestRegressor"
BOOSTING = "sklearn.ensemble.HistGradientBoostingRegressor"
NUMBER, CITY = Column("number", "numeric"), Column("city", "categorical")
COLUMNS = [
    NUMBER,
    CITY,
    Column("count", "numeric"),
    Column("flag", "boolean"),
    Column("side", "categorical"),
    Column("at", "date"),
]


def test_gradient_boosting_gets_codes_of_categories_first(fitted):
    pipeline = fitted(BOOSTING, max_iter=5)
    assert pipeline["estimate"].is_categorical_.tolist() == [True] * 2 + [False] * 7


def test_gradient_boosting_gets_missing_values_as_they_are(mixed):
    columns = [NUMBER, CITY]
    pipeline = build_pipeline(make_estimator(BOOSTING, {}), columns)
    prepared = pipeline["prepare"].fit_transform(to_frame(mixed, columns))
    codes, numbers = prepared.T
    np.testing.assert_array_equal(numbers, mixed["number"].to_numpy())

    cities = mixed["city"].to_pylist()
    code_of = dict(zip(cities, codes.tolist(), strict=True))
    np.testing.assert_array_equal(codes, [code_of[city] for city in cities])
    assert np.isnan(code_of.pop(None))
    assert sorted(code_of.values()) == [0.0, 1.0, 2.0, 3.0]


def test_a_linear_model_gets_no_gaps_and_one_column_for_each_category(mixed, fitted):
    prepared = fitted(RIDGE)["prepare"].transform(to_frame(mixed, COLUMNS))
    assert np.isfinite(prepared).all()
    assert prepared.shape == (len(mixed), 5 + 3 + 2 + 1 + 4)


@pytest.mark.parametrize("names", [["at"], ["flag", "number"], ["city"], ["side", "at", "count"]])
@pytest.mark.parametrize("estimator", [RIDGE, BOOSTING])
def test_kinds_that_a_table_lacks_have_no_preparation(names, estimator):
    columns = [column for column in COLUMNS if column.name in names]
    pipeline = build_pipeline(make_estimator(estimator, {}), columns)

    found = []
    for kind, _, given in pipeline["prepare"].transformers:
        found += [Column(name, kind) for name in given]
    assert set(found) == set(columns)
    assert len(found) == len(columns)


def test_two_fits_of_one_candidate_predict_the_same(mixed, fitted):
    frame = to_frame(mixed, COLUMNS)
    one, other = (fitted(FOREST, n_estimators=5).predict(frame) for _ in range(2))
    np.testing.assert_array_equal(one, other)
