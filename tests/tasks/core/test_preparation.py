import numpy as np
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, PowerTransformer, StandardScaler

from tasks.core.columns import Column, to_frame
from tasks.core.predictor import make_predictor, same_answers
from tasks.core.preparation import last_width, plain_columns, scale_in_place, without_choice

NUMBERS = (Column("a", "numeric"), Column("b", "numeric"))


@pytest.fixture
def table():
    """5,000 rows of two numbers, some missing, and a third that no model of these tests takes."""
    chance = np.random.default_rng(5)
    columns = {name: pa.array(chance.normal(3, 9, 5000), mask=chance.random(5000) < 0.05) for name in "cba"}
    return pa.table(columns)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], ("a", "b")),
        ([ColumnTransformer([("x", "passthrough", ["b"]), ("y", "passthrough", ["a"])])], ("b", "a")),
        ([ColumnTransformer([("x", "passthrough", ["b"])])], ("b",)),
        ([ColumnTransformer([("x", "passthrough", ["b"])], remainder="passthrough")], None),
        ([ColumnTransformer([("x", StandardScaler(), ["b"])])], None),
        ([ColumnTransformer([("x", "passthrough", [0])])], None),
        ([StandardScaler()], None),
    ],
)
def test_a_preparation_that_does_more_than_put_columns_in_order_is_told_apart(steps, expected):
    assert plain_columns(make_pipeline(*steps, Ridge()), NUMBERS) == expected
    assert plain_columns(make_pipeline(*steps, Ridge()), (*NUMBERS, Column("c", "categorical"))) is None


def test_the_width_of_a_model_counts_the_columns_that_one_hot_encoding_makes(mixed, fitted):
    """The mixed table has 6 columns: two numbers, one flag, 4 + 2 categories and missing ones, four parts of a date."""
    assert last_width(fitted("sklearn.linear_model.Ridge")) == 2 + 1 + (4 + 1) + (2 + 1) + 4
    assert last_width(object()) == 0


@pytest.fixture
def linear(table):
    """A classifier behind an imputer and a scaler of the columns b and a; made anew for each call."""

    def fit(*steps):
        prepare = make_pipeline(*(steps or (SimpleImputer(), StandardScaler())))
        pipeline = make_pipeline(ColumnTransformer([("numbers", prepare, ["b", "a"])]), LogisticRegression())
        frame = to_frame(table, NUMBERS)
        return pipeline.fit(frame, frame["a"].fillna(0) > frame["b"].fillna(0))

    return fit


def test_a_choice_of_columns_for_one_transformer_is_left_out_and_not_a_bit_changes(linear, table):
    library, fast = make_predictor(linear(), NUMBERS), make_predictor(linear(), NUMBERS, table, proba=True)
    assert [type(step) for _, step in fast.pipeline.steps][1:] == [LogisticRegression]
    assert not any(isinstance(step, ColumnTransformer) for _, step in fast.pipeline.steps)
    assert [column.name for column in fast.features] == ["b", "a"]
    for piece in (table, table.slice(17, 1), table.slice(1000, 333)):
        assert same_answers(library.answer(piece, proba=True), fast.answer(piece, proba=True))
        assert same_answers(library.answer(piece, proba=False), fast.answer(piece, proba=False))


@pytest.mark.parametrize(
    "first",
    [
        ColumnTransformer([("x", StandardScaler(), ["a"]), ("y", MinMaxScaler(), ["b"])]),
        ColumnTransformer([("x", StandardScaler(), ["a"])], remainder="passthrough"),
        ColumnTransformer([("x", StandardScaler(), ["a", "b"])], transformer_weights={"x": 2}),
        ColumnTransformer([("x", StandardScaler(), [0, 1])]),
        ColumnTransformer([("x", FunctionTransformer(), ["b", "a"])]),  # it gives a frame, which becomes an array
        ColumnTransformer([("x", StandardScaler(), ["a", "b"])]).set_output(transform="pandas"),
        StandardScaler(),
    ],
    ids=["two", "remainder", "weights", "positions", "frame", "pandas", "none"],
)
def test_any_other_choice_of_columns_stays(first, table):
    rows = table.slice(0, 100).drop_null()
    frame = to_frame(rows, NUMBERS)
    pipeline = make_pipeline(first, Ridge()).fit(frame, frame["a"])
    assert without_choice(pipeline, NUMBERS, rows) == (pipeline, NUMBERS)


def test_rows_that_cannot_be_prepared_leave_the_choice_of_columns_where_it_is(linear, table):
    pipeline = linear(StandardScaler(), SimpleImputer(), PowerTransformer())
    infinite = pa.table({name: [1.0, np.inf] for name in table.column_names})
    assert without_choice(pipeline, NUMBERS, infinite) == (pipeline, NUMBERS)
    assert without_choice(pipeline, NUMBERS, table) != (pipeline, NUMBERS)


def test_a_scaler_works_in_place_only_on_what_an_imputer_made_for_it(linear):
    assert scale_in_place(linear())[0].transformers_[0][1][-1].copy is False
    assert scale_in_place(linear(StandardScaler(), SimpleImputer()))[0].transformers_[0][1][0].copy is True
    assert scale_in_place(make_pipeline(SimpleImputer(copy=False), StandardScaler()))[1].copy is True


def test_the_rows_stay_as_they_are_and_answer_the_same_again(linear, table):
    fast, before = make_predictor(linear(), NUMBERS, table), table.to_pandas()
    first = fast.answer(table, proba=True)
    assert same_answers(first, fast.answer(table, proba=True))
    assert table.to_pandas().equals(before)
