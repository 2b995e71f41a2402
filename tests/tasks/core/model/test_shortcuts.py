import numpy as np
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from tasks.core.model.predictor import make_predictor, same_predictions
from tasks.core.model.shortcuts import _flat_steps, bypass_copies
from tasks.core.model.steps import last_width, plain_columns
from tasks.core.tables.columns import Column
from tasks.core.tables.frames import to_frame

NUMBERS = (Column("a", "numeric"), Column("b", "numeric"))


@pytest.fixture
def table():
    """5,000 rows of two numbers, some missing, and a third that no model of these tests takes."""
    chance = np.random.default_rng(5)
    columns = {
        name: pa.array(chance.normal(3, 9, 5000), mask=chance.random(5000) < 0.05) for name in "cba"
    }
    return pa.table(columns)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], ("a", "b")),
        (
            [ColumnTransformer([("x", "passthrough", ["b"]), ("y", "passthrough", ["a"])])],
            ("b", "a"),
        ),
        ([ColumnTransformer([("x", "passthrough", ["b"])])], ("b",)),
        ([ColumnTransformer([("x", "passthrough", ["b"])], remainder="passthrough")], None),
        ([ColumnTransformer([("x", StandardScaler(), ["b"])])], None),
        ([ColumnTransformer([("x", "passthrough", [0])])], None),
        ([ColumnTransformer([("x", "passthrough", slice(0, 1))])], None),
        ([ColumnTransformer([("x", "passthrough", []), ("y", StandardScaler(), [])])], ()),
        ([StandardScaler()], None),
    ],
)
def test_a_preparation_that_does_more_than_put_columns_in_order_is_told_apart(steps, expected):
    assert plain_columns(make_pipeline(*steps, Ridge()), NUMBERS) == expected
    assert (
        plain_columns(make_pipeline(*steps, Ridge()), (*NUMBERS, Column("c", "categorical")))
        is None
    )


def test_the_width_of_a_model_counts_the_columns_that_one_hot_encoding_makes(mixed, fitted):
    """The mixed table has 6 columns.

    They are two numbers, one flag, 4 + 2 categories and missing ones, and four parts of a date.
    """
    assert last_width(fitted("sklearn.linear_model.Ridge")) == 2 + 1 + (4 + 1) + (2 + 1) + 4
    assert last_width(object()) == 0


def prepare(*steps, columns=("b", "a")):
    """Put steps for some columns before a classifier."""
    return make_pipeline(
        ColumnTransformer([("numbers", make_pipeline(*steps), list(columns))]), LogisticRegression()
    )


@pytest.fixture
def fit(table):
    """Fit a pipeline on the two numbers, of which it gets no gap that it could not bear."""

    def fit_pipeline(pipeline, *, gaps=False):
        frame = to_frame(table, NUMBERS)
        target = np.digitize(frame["a"].fillna(0) - frame["b"].fillna(0), [-3, 3])
        return pipeline.fit(frame if gaps else frame.fillna(0), target)

    return fit_pipeline


SCALERS = [MinMaxScaler(clip=True), RobustScaler(), StandardScaler()]


@pytest.mark.parametrize("scaler", SCALERS, ids=lambda scaler: type(scaler).__name__)
def test_copies_are_spared_and_not_a_bit_changes(fit, table, scaler):
    pipeline = fit(prepare(SimpleImputer(), scaler), gaps=True)
    library, fast = (
        make_predictor(pipeline, NUMBERS),
        make_predictor(pipeline, NUMBERS, table, proba=True),
    )
    assert [type(step) for _, step in fast.pipeline.steps[0][1].steps] == [
        SimpleImputer,
        type(scaler),
    ]
    assert fast.pipeline.steps[0][1].steps[1][1].copy is False
    assert pipeline.steps[0][1].named_transformers_["numbers"].steps[1][1].copy is True
    assert [column.name for column in fast.features] == ["b", "a"]
    for piece in (table, table.slice(17, 1), table.slice(1000, 333), table):
        for proba in (True, False):
            assert same_predictions(
                library.predict(piece, proba=proba), fast.predict(piece, proba=proba)
            )


@pytest.mark.parametrize(
    "first",
    [
        ColumnTransformer([("x", StandardScaler(), ["a"]), ("y", MinMaxScaler(), ["b"])]),
        ColumnTransformer([("x", StandardScaler(), ["a"])], remainder="passthrough"),
        ColumnTransformer([("x", StandardScaler(), ["a", "b"])], transformer_weights={"x": 2}),
        ColumnTransformer([("x", StandardScaler(), [0, 1])]),
        ColumnTransformer([("x", StandardScaler(), slice(0, 2))]),
        ColumnTransformer([("x", StandardScaler(), slice("a", "b"))]),
        ColumnTransformer(
            [("x", FunctionTransformer(lambda numbers: np.abs(numbers.to_numpy()[:, None])), "a")]
        ),
        ColumnTransformer(
            [("x", FunctionTransformer(), ["b", "a"])]
        ),  # it gives a frame, which becomes an array
        ColumnTransformer([("x", StandardScaler(), ["a", "b"])]).set_output(transform="pandas"),
        ColumnTransformer(
            [("x", KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), ["a", "b"])]
        ),  # sparse
        type("Own", (ColumnTransformer,), {})([("x", StandardScaler(), ["a", "b"])]),
        StandardScaler(),
    ],
    ids=[
        "two",
        "remainder",
        "weights",
        "numbers",
        "slice",
        "names",
        "series",
        "frame",
        "pandas",
        "sparse",
        "own",
        "0",
    ],
)
def test_any_other_selection_stays(first, fit, table):
    pipeline = fit(make_pipeline(first, Ridge()))
    rows = table.drop_null()
    lean, features = bypass_copies(pipeline, NUMBERS, rows)
    assert (type(lean.steps[0][1]), features) == (type(first), NUMBERS)
    library, fast = make_predictor(pipeline, NUMBERS), make_predictor(pipeline, NUMBERS, rows)
    assert same_predictions(library.predict(rows, proba=False), fast.predict(rows, proba=False))


def test_rows_that_cannot_be_prepared_leave_the_pipeline_as_it_is(fit, table):
    pipeline = fit(prepare(StandardScaler(), SimpleImputer()))
    infinite = pa.table({name: [1.0, np.inf] for name in table.column_names})
    assert bypass_copies(pipeline, NUMBERS, infinite) == (pipeline, NUMBERS)
    assert bypass_copies(pipeline, NUMBERS, table) != (pipeline, NUMBERS)


@pytest.mark.parametrize(
    "steps",
    [
        (StandardScaler(), SimpleImputer()),
        (SimpleImputer(), StandardScaler()),
        (SimpleImputer(copy=False), StandardScaler()),
        (StandardScaler(), MinMaxScaler()),
        (make_pipeline(SimpleImputer(), StandardScaler()), MinMaxScaler()),
    ],
    ids=["scaler", "imputer", "given", "two scalers", "inner pipeline"],
)
def test_the_first_imputers_and_scalers_overwrite_the_frame_that_was_made_for_them(
    fit, table, steps
):
    rows = table.drop_null()
    pipeline, before = fit(prepare(*steps)), rows.to_pandas()
    lean, _ = bypass_copies(pipeline, NUMBERS, rows)
    assert not any(step.copy for step in _flat_steps(lean.steps[0][1]))
    library, fast = (
        make_predictor(pipeline, NUMBERS),
        make_predictor(pipeline, NUMBERS, rows, proba=True),
    )
    for _ in range(2):
        assert same_predictions(library.predict(rows, proba=True), fast.predict(rows, proba=True))
    assert rows.to_pandas().equals(before)


def test_a_scaler_that_is_shared_with_another_place_is_left_alone(fit, table):
    """In place, it would scale the rows before the imputer at the other place sees them."""
    scaler = StandardScaler()
    union = FeatureUnion([("x", scaler), ("y", make_pipeline(SimpleImputer(), scaler))])
    pipeline = fit(make_pipeline(union, Ridge()))
    assert bypass_copies(pipeline, NUMBERS, table.drop_null()) == (pipeline, NUMBERS)


def test_an_attribute_that_is_called_steps_is_no_pipeline(fit, table):
    pipeline = fit(prepare(SimpleImputer(), StandardScaler()))
    pipeline.steps[0][1].steps = 3
    assert len(bypass_copies(pipeline, NUMBERS, table)[1]) == 2


def test_the_rows_stay_as_they_are_and_answer_the_same_again(mixed):
    """This holds also where a frame shares memory with the table.

    Strings and numbers are no one block.
    """
    features = (Column("number", "numeric"), Column("city", "categorical"))
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    pipeline = make_pipeline(ColumnTransformer([("n", numbers, ["number"])]), Ridge())
    pipeline.fit(to_frame(mixed, features), np.arange(len(mixed)))
    fast, before = make_predictor(pipeline, features, mixed), mixed.to_pandas()
    first = fast.predict(mixed, proba=False)
    assert same_predictions(first, fast.predict(mixed, proba=False))
    assert mixed.to_pandas().equals(before)


def test_what_is_said_of_a_refused_row_does_not_depend_on_short_cuts(fit, table):
    """It depends neither on the order of a model's columns nor on whether the model takes all."""
    pipeline = fit(prepare(StandardScaler(), columns=("b",)))
    rows = table.drop_null()
    odd = pa.table({"a": [np.inf, 1.0, np.inf], "b": [np.inf, np.inf, 1.0]})
    library, fast = make_predictor(pipeline, NUMBERS), make_predictor(pipeline, NUMBERS, rows)
    assert fast.features == (NUMBERS[1],)
    assert fast.refused(odd, proba=False) == library.refused(odd, proba=False)
    assert sorted(fast.refused(odd, proba=False)) == [0, 1]
