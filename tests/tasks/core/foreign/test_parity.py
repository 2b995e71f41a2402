"""A model from elsewhere predicts here as it does by itself, or is refused with the column."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from tasks.core.errors import RequestError

ROWS = 300
CHANCE = np.random.default_rng(7)
SIZE = CHANCE.normal(size=ROWS)
PLAN = CHANCE.choice(["gold", "silver", None], ROWS).tolist()
Y = SIZE + np.array([{"gold": 2.0, "silver": -1.0, None: 9.0}[plan] for plan in PLAN])
WITHOUT_PLAN = PLAN.count(None)
PLANS = pa.table({"size": SIZE, "plan": pa.array(PLAN, pa.string()), "y": Y})

DAYS = [f"2026-01-{1 + number % 5:02d}" for number in range(ROWS)]
REGIONS = CHANCE.choice(["EU", "NA", "US"], ROWS).tolist()
BIG = [2**53 + 1 + 2 * (number % 3) for number in range(ROWS)]
MEMBER = CHANCE.choice([True, False, None], ROWS).tolist()


def one_hot(*columns, step=None):
    """Return an unfitted pipeline that encodes some columns and takes the others as they are."""
    encoder = OneHotEncoder(handle_unknown="ignore")
    transformer = make_pipeline(step, encoder) if step else encoder
    chosen = make_column_transformer((transformer, list(columns)), remainder="passthrough")
    return make_pipeline(chosen, Ridge(alpha=1e-6))


def as_objects(values):
    return pd.Series(np.array(values, dtype=object), dtype=object)


def as_csv(**columns):
    return pd.DataFrame(columns).to_csv(index=False)


def read(text):
    return pd.read_csv(io.StringIO(text))


def with_plan(values):
    return pd.DataFrame({"size": SIZE, "plan": as_objects(values)})


NAN_PLAN = [np.nan if plan is None else plan for plan in PLAN]


@pytest.mark.parametrize(
    "pipeline",
    [
        one_hot("plan"),
        make_pipeline(
            make_column_transformer(
                (make_union(OneHotEncoder(handle_unknown="ignore")), ["plan"]),
                remainder="passthrough",
            ),
            Ridge(),
        ),
    ],
)
def test_a_model_that_learned_none_as_a_value_is_refused(tried, pipeline):
    """Scores of it would differ wherever the value is missing, which comes as NaN here."""
    pipeline.fit(with_plan(PLAN), Y)
    words = (
        rf"column 'plan': the model was fitted on None, .*NaN.* here: {WITHOUT_PLAN} of {ROWS} "
        rf"predictions differ, first in row {PLAN.index(None)} .*fillna"
    )
    with pytest.raises(RequestError, match=words):
        tried(pipeline, "plans.parquet", PLANS)


@pytest.mark.parametrize(
    "pipeline", [one_hot("plan"), one_hot("plan", step=SimpleImputer(strategy="most_frequent"))]
)
def test_a_model_that_learned_nan_is_admitted(tried, pipeline):
    pipeline.fit(with_plan(NAN_PLAN), Y)
    assert tried(pipeline, "plans.parquet", PLANS) == ["size", "plan"]


REGION_CSV = as_csv(size=SIZE.round(3), region=REGIONS, y=Y.round(3))
DAY_CSV = as_csv(size=SIZE.round(3), day=DAYS, y=[int(day[-2:]) for day in DAYS])
BIG_TABLE = pa.table({"size": SIZE, "code": BIG, "y": [float(code % 7) for code in BIG]})
MEMBER_TABLE = pa.table(
    {"size": SIZE, "member": MEMBER, "y": [{True: 1.0, False: 2.0, None: 9.0}[m] for m in MEMBER]}
)


@pytest.mark.parametrize(
    ("name", "source", "frame", "column", "step", "words"),
    [
        (
            "regions.csv",
            REGION_CSV,
            read(REGION_CSV),
            "region",
            SimpleImputer(strategy="most_frequent"),
            rf"a missing value \(NaN\), and is given the text 'NA' here: {REGIONS.count('NA')} of",
        ),
        (
            "days.csv",
            DAY_CSV,
            read(DAY_CSV),
            "day",
            None,
            "'2026-01-01'.*Timestamp 2026.*which it refuses",
        ),
        (
            "member.parquet",
            MEMBER_TABLE,
            pd.DataFrame({"size": SIZE, "member": as_objects(MEMBER)}),
            "member",
            None,
            r"on None, and is given .*NaN.* here, which it refuses: .*astype\(float\)",
        ),
        (
            "codes.parquet",
            BIG_TABLE,
            BIG_TABLE.to_pandas(),
            "code",
            None,
            "on int64, and is given float64 here: 100 of 300",
        ),
    ],
)
def test_a_model_that_saw_another_form_is_refused_by_the_name_of_the_column(
    tried, name, source, frame, column, step, words
):
    target = frame["y"] if "y" in frame else MEMBER_TABLE["y"].to_numpy()
    pipeline = one_hot(column, step=step).fit(frame[["size", column]], target)
    with pytest.raises(RequestError, match=rf"^column '{column}': the model was fitted .*{words}"):
        tried(pipeline, name, source)


def test_a_model_that_was_fitted_on_the_text_na_is_admitted(tried):
    frame = pd.read_csv(io.StringIO(REGION_CSV), keep_default_na=False)
    pipeline = one_hot("region").fit(frame[["size", "region"]], frame["y"])
    assert tried(pipeline, "regions.csv", REGION_CSV) == ["size", "region"]


def test_a_probability_that_differs_counts_where_no_label_does(tried):
    """Few labels depend on the plan here, all probabilities do."""
    pipeline = one_hot("plan")
    pipeline.steps[-1] = ("last", LogisticRegression(C=0.01))
    labels = np.where(SIZE > 0, "yes", "no")
    pipeline.fit(with_plan(PLAN), labels)

    table = PLANS.set_column(2, "y", pa.array(labels.tolist()))
    words = rf"'plan': .*: {WITHOUT_PLAN} of {ROWS} predictions differ, .* with probability"
    with pytest.raises(RequestError, match=words):
        tried(pipeline, "plans.parquet", table, problem="classification")


def test_a_model_that_learned_codes_of_a_column_of_text_is_refused(tried):
    """It would take every value for an unknown one, in either form."""
    codes = pd.Series(PLAN).map({"gold": 0, "silver": 1}).fillna(2)
    pipeline = one_hot("plan").fit(pd.DataFrame({"size": SIZE, "plan": codes}), Y)
    words = "column 'plan': the model learned 0.0, 1.0, 2.0 and knows none of its values, such as"
    with pytest.raises(RequestError, match=words):
        tried(pipeline, "plans.parquet", PLANS)


def test_a_model_that_learned_texts_of_a_column_of_numbers_is_refused(tried):
    """Postal codes that were read as text there are numbers in a CSV file here."""
    codes = ["0123" if number % 2 else "0456" for number in range(ROWS)]
    frame = pd.DataFrame({"size": SIZE, "zip": codes})
    pipeline = one_hot("zip").fit(frame, Y)
    words = "learned '0123', '0456' and knows none of its values, such as .*: fit it on numbers, .*"
    with pytest.raises(RequestError, match=words):
        tried(pipeline, "zips.csv", frame.assign(y=Y).to_csv(index=False))


def test_a_column_of_categories_is_what_its_values_are(tried):
    """A model that takes pandas' categories natively predicts the same from their values."""
    frame = with_plan(NAN_PLAN).astype({"plan": "category"})
    model = HistGradientBoostingRegressor(max_iter=5, categorical_features="from_dtype")
    source = pa.Table.from_pandas(frame.assign(y=Y))
    assert tried(model.fit(frame, Y), "plans.parquet", source) == ["size", "plan"]


NUMBERS = pa.table({
    "a": pa.array(np.arange(ROWS) % 17, pa.int64()),
    "b": pa.array(SIZE, pa.float32()),
    "flag": pa.array(SIZE > 0),
    "y": Y,
})  # fmt: skip


@pytest.mark.parametrize(
    "model",
    [Ridge(), HistGradientBoostingRegressor(max_iter=5), make_pipeline(StandardScaler(), Ridge())],
)
def test_integers_booleans_and_small_floats_make_no_difference(tried, model):
    frame = NUMBERS.to_pandas()[["a", "b", "flag"]]
    assert tried(model.fit(frame, Y), "numbers.parquet", NUMBERS) == ["a", "b", "flag"]


@pytest.mark.filterwarnings("ignore:X has feature names")
def test_a_model_without_names_is_asked_on_an_array(tried):
    frame = NUMBERS.to_pandas()[["a", "b", "flag"]].astype(float)
    assert tried(Ridge().fit(frame.to_numpy(), Y), "numbers.parquet", NUMBERS)


def test_the_columns_come_in_the_order_of_the_model(tried):
    """It was fitted on another order than that of the source."""
    frame = NUMBERS.to_pandas()[["flag", "a", "b"]]
    assert tried(Ridge().fit(frame, Y), "numbers.parquet", NUMBERS) == ["flag", "a", "b"]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("sklearn.linear_model.Ridge", {}),
        ("sklearn.svm.SVR", {}),
        ("sklearn.ensemble.HistGradientBoostingRegressor", {"max_iter": 3}),
    ],
)
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_what_was_fitted_here_is_admitted(tried, fitted, mixed, name, params, ending):
    """Also where pandas reads other types by default: dates in a CSV file, gaps in booleans."""
    table = mixed.append_column("y", mixed["count"].fill_null(0).cast(pa.float64()))
    source = table if ending == "parquet" else table.to_pandas().to_csv(index=False)
    assert tried(fitted(name, **params), f"mixed.{ending}", source) == mixed.column_names


def test_rows_that_the_model_refuses_here_are_not_held_against_it(tried):
    """They get no score, so no wrong one."""
    gaps = pa.array([None, *SIZE[1:]])
    model = Ridge().fit(pd.DataFrame({"size": SIZE}), Y)
    assert tried(model, "gaps.parquet", pa.table({"size": gaps, "y": Y})) == ["size"]


def test_a_model_that_refuses_every_row_is_refused(tried):
    strict = make_pipeline(OrdinalEncoder(), Ridge()).fit(
        pd.DataFrame({"size": ["a", "b"]}), [0, 1]
    )
    with pytest.raises(RequestError, match=r"column 'size': the model learned 'a', 'b' and knows"):
        tried(strict, "sizes.parquet", pa.table({"size": SIZE, "y": Y}))
