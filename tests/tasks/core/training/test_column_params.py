import re

import numpy as np
import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.metrics import METRICS
from tasks.core.tables.columns import Column
from tasks.core.tables.frames import to_frame
from tasks.core.training.candidates import check_candidate, make_estimator
from tasks.core.training.column_params import check_columns_named
from tasks.core.training.pipeline import build_pipeline, fit_pipeline

BOOSTING = "sklearn.ensemble.HistGradientBoostingRegressor"
FOREST = "sklearn.ensemble.RandomForestRegressor"
BY_POSITION = "by position, which the preparation changes"
COLUMNS = [
    Column("open", "boolean"),
    Column("price", "numeric"),
    Column("at", "date"),
    Column("city", "categorical"),
    Column("income", "numeric"),
]
ROWS = 300


@pytest.fixture(scope="module")
def shop():
    """A table in which the target falls with the price, and rises and falls with the income."""
    chance = np.random.default_rng(3)
    price, income = chance.uniform(size=(2, ROWS))
    at = np.datetime64("2024-01-01T00:00:00", "us") + chance.integers(0, 10**13, ROWS)
    rows = {
        "open": chance.random(ROWS) < 0.5,
        "price": price,
        "at": at,
        "city": chance.choice(["a", "b", "c"], ROWS),
        "income": income,
    }
    demand = 3 * np.sin(6 * income) - 2 * price + chance.normal(scale=0.5, size=ROWS)
    return pa.table(rows), demand


@pytest.mark.parametrize(
    ("name", "params"),
    [
        (BOOSTING, {"monotonic_cst": [0, -1, 0]}),
        (BOOSTING, {"monotonic_cst": {1: -1}}),
        (FOREST, {"monotonic_cst": [0, 1]}),
        ("sklearn.tree.DecisionTreeRegressor", {"monotonic_cst": [1]}),
        (BOOSTING, {"interaction_cst": [[0, 1], [2]]}),
        (BOOSTING, {"interaction_cst": [["price", 1]]}),
        (BOOSTING, {"interaction_cst": ["price", "open"]}),
        ("sklearn.neighbors.KNeighborsRegressor", {"metric_params": {"w": [1, 2]}}),
        ("sklearn.linear_model.Lasso", {"precompute": [[1.0]]}),
    ],
)
def test_a_parameter_that_speaks_of_columns_by_position_is_refused(name, params):
    (param,) = params
    with pytest.raises(ValueError, match=f"^{re.escape(name)}: '{param}' would .*{BY_POSITION}"):
        check_candidate(name, params, "regression", METRICS["mae"])


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("sklearn.naive_bayes.BernoulliNB", {"alpha": [1.0, 2.0]}),
        ("sklearn.naive_bayes.CategoricalNB", {"min_categories": [2, 3]}),
    ],
)
def test_an_array_with_a_value_for_each_column_is_refused(name, params):
    with pytest.raises(ValueError, match=BY_POSITION):
        check_candidate(name, params, "classification", METRICS["log_loss"])


@pytest.mark.parametrize("value", [[0], ["city"], [True, False], None])
def test_which_columns_are_categories_is_not_overwritten_without_a_word(value):
    if value is None:
        estimator = make_estimator(BOOSTING, {"categorical_features": "from_dtype"})
        assert estimator.categorical_features == "from_dtype"
        return
    with pytest.raises(ValueError, match="'categorical_features' is set by the preparation: every"):
        make_estimator(BOOSTING, {"categorical_features": value})


@pytest.mark.parametrize("sign", [2, "up", True, None, 0.5])
def test_a_constraint_is_a_sign(sign):
    with pytest.raises(ValueError, match=r"'price': write -1, 0 or 1$"):
        make_estimator(BOOSTING, {"monotonic_cst": {"price": sign}})


@pytest.mark.parametrize(
    ("params", "positions"),
    [
        # The preparation puts city first, then price, income, open, and the four parts of at.
        ({"monotonic_cst": {"price": -1}}, [0, -1, 0, 0, 0, 0, 0, 0]),
        ({"monotonic_cst": {"open": 1, "income": -1, "city": 0}}, [0, 0, -1, 1, 0, 0, 0, 0]),
        ({"interaction_cst": [["price", "open"], ["city"]]}, [[1, 3], [0]]),
        ({"interaction_cst": [["at", "income"]]}, [[2, 4, 5, 6, 7]]),
        ({"interaction_cst": "no_interactions"}, "no_interactions"),
    ],
)
def test_gradient_boosting_gets_the_positions_of_the_columns_that_are_named(
    shop, params, positions
):
    table, demand = shop
    (param,) = params
    pipeline = build_pipeline(make_estimator(BOOSTING, {"max_iter": 3, **params}), COLUMNS)
    fitted = fit_pipeline(pipeline, to_frame(table, COLUMNS), demand)
    assert getattr(fitted["estimate"], param) == positions


@pytest.mark.parametrize("name", [BOOSTING, FOREST, "sklearn.ensemble.ExtraTreesRegressor"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_constraint_binds_the_column_that_it_names_and_no_other(shop, name, sign):
    """The preparation of a forest makes several columns of a category, before all others."""
    table, demand = shop
    gaps = pa.array([None, *table["price"].to_pylist()[1:]], pa.float64())
    table = table.set_column(1, "price", gaps)
    estimator = make_estimator(name, {"monotonic_cst": {"price": sign}})
    fitted = fit_pipeline(build_pipeline(estimator, COLUMNS), to_frame(table, COLUMNS), demand)

    def steps_along(column):
        grid = np.linspace(0, 1, 60)
        one = table.slice(5, 1).take(pa.array([0] * len(grid)))
        position = one.column_names.index(column)
        one = one.set_column(position, column, pa.array(grid))
        return np.diff(fitted.predict(to_frame(one, COLUMNS)))

    assert (sign * steps_along("price") >= -1e-9).all()
    income = steps_along("income")
    assert income.max() > 0.1
    assert income.min() < -0.1


@pytest.mark.parametrize(
    ("params", "leaks", "words"),
    [
        ({"monotonic_cst": {"price": -1}, "interaction_cst": [["city", "at"]]}, ["open"], None),
        ({"monotonic_cst": {"city": 0}}, [], None),
        (
            {"monotonic_cst": {"prise": -1}},
            [],
            r"^candidates\.0: column 'prise' .* mean 'price'\?$",
        ),
        ({"monotonic_cst": {"y": -1}}, [], r"^candidates\.0: column 'y' is no feature; it has"),
        (
            {"monotonic_cst": {"city": 1}},
            [],
            r"^candidates\.0: 'monotonic_cst' names 'city', which",
        ),
        ({"monotonic_cst": {"at": 1}}, [], "names 'at', which holds no numbers: take it out"),
        (
            {"interaction_cst": [["open"], ["Price"]]},
            [],
            "'Price' is no feature; did you mean 'pri",
        ),
        ({}, ["incom"], r"^gates\.leaks: column 'incom' is no feature; did you mean 'income'\?$"),
    ],
)
def test_a_name_that_is_no_feature_is_refused_before_anything_is_fitted(
    make_spec, params, leaks, words
):
    spec = make_spec(candidates=[{"estimator": BOOSTING, "params": params}], gates={"leaks": leaks})
    if words is None:
        assert check_columns_named(spec, COLUMNS) is None
        return
    with pytest.raises(RequestError, match=words):
        check_columns_named(spec, COLUMNS)
