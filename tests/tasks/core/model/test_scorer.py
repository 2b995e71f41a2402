import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.model.predictor import Predictor, make_predictor
from tasks.core.model.refusals import find_refused
from tasks.core.model.scorer import Scorer, columns_read
from tasks.core.model.skops_file import load_pipeline, save_pipeline
from tasks.core.score_columns import ScoreColumns, check_carried
from tasks.core.tables.columns import Column, feature_columns

MODELS = [
    ("sklearn.ensemble.HistGradientBoostingRegressor", {"max_iter": 20}),
    ("sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": 10}),
    ("sklearn.ensemble.RandomForestRegressor", {"n_estimators": 20, "n_jobs": 2}),
    ("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 20}),
    ("sklearn.linear_model.Ridge", {}),
    ("sklearn.linear_model.LogisticRegression", {"max_iter": 1000}),
]
each_model = pytest.mark.parametrize(
    ("name", "params"), MODELS, ids=[name.rsplit(".", 1)[1] for name, _ in MODELS]
)
# scikit-learn's one-hot encoder says so of every piece that holds one; the answer is that of no
# known category.
unknown_is_fine = pytest.mark.filterwarnings("ignore:Found unknown categories:UserWarning")


def scorer_of(pipeline, table, **options):
    predictor = make_predictor(pipeline, feature_columns(table.schema, []))
    return Scorer(predictor, 3, ScoreColumns(**options))


@each_model
def test_a_saved_and_loaded_model_scores_bit_for_bit_like_the_one_in_memory(
    tmp_path, mixed, fitted, name, params
):
    pipeline = fitted(name, **params)
    save_pipeline(pipeline, tmp_path / "model.skops")
    proba = hasattr(pipeline, "predict_proba")
    before = scorer_of(pipeline, mixed, proba=proba)
    after = scorer_of(load_pipeline(tmp_path / "model.skops"), mixed, proba=proba)
    for piece in (mixed, mixed.slice(0, 1), mixed.slice(37, 101)):
        one, other = before.score(piece).scores, after.score(piece).scores
        assert one.schema == other.schema
        for column in one.column_names:
            assert (
                one[column].to_pylist() == other[column].to_pylist()
            )  # floats are equal where every bit is
        assert one.num_rows == piece.num_rows


@unknown_is_fine
@each_model
def test_an_unknown_category_and_rows_without_any_value_get_a_score(mixed, fitted, name, params):
    odd = mixed.slice(0, 3).set_column(3, "city", pa.array(["Atlantis", "", None]))
    nothing = pa.table(
        {
            name: pa.nulls(2, field.type)
            for name, field in zip(mixed.column_names, mixed.schema, strict=True)
        }
    )
    scorer = scorer_of(fitted(name, **params), mixed)
    for table in (odd, nothing, pa.table({name: pa.nulls(2) for name in mixed.column_names})):
        predictions = scorer.score(table).scores["prediction"]
        assert len(predictions) == len(table)
        assert predictions.null_count == 0
        if name.endswith(("Classifier", "LogisticRegression")):
            assert set(predictions.to_pylist()) <= {"low", "middle", "high"}
        else:
            assert np.isfinite(predictions.to_numpy()).all()


def test_scores_carry_the_id_what_is_kept_the_probabilities_and_the_version(mixed, fitted):
    pipeline = fitted("sklearn.linear_model.LogisticRegression", max_iter=1000)
    table = mixed.append_column("id", pa.array([f"00{row}" for row in range(len(mixed))]))
    features = feature_columns(mixed.schema, [])
    scorer = Scorer(
        make_predictor(pipeline, features), 12, ScoreColumns("id", ("city", "count"), proba=True)
    )
    scores = scorer.score(table.slice(5, 10)).scores
    assert scores.column_names == [
        "id",
        "city",
        "count",
        "prediction",
        "probability_high",
        "probability_low",
        "probability_middle",
        "model_version",
    ]
    for name in ("id", "city", "count"):
        assert scores[name].equals(table[name].slice(5, 10))
    assert scores["model_version"].to_pylist() == [12] * 10
    probabilities = np.column_stack(
        [scores[f"probability_{name}"] for name in ("high", "low", "middle")]
    )
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    names = np.asarray(["high", "low", "middle"])
    assert scores["prediction"].to_pylist() == names[probabilities.argmax(axis=1)].tolist()


def test_without_an_id_rows_are_known_by_their_number_in_the_source(mixed, fitted):
    scores = (
        scorer_of(fitted("sklearn.linear_model.Ridge"), mixed)
        .score(mixed.slice(0, 3), first_row=2**40)
        .scores
    )
    assert scores.column_names == ["row", "prediction", "model_version"]
    assert scores["row"].to_pylist() == [2**40, 2**40 + 1, 2**40 + 2]


def test_each_column_is_read_once_carried_ones_first():
    features = (Column("a", "numeric"), Column("b", "numeric"))
    assert columns_read(features, ScoreColumns("id", ("b", "c"))) == ["id", "b", "c", "a"]


class Fake:
    """A pipeline that predicts what it was told to."""

    classes_ = np.array([0, 1])

    def __init__(self, predictions, probabilities=None):
        self.predictions, self.probabilities = predictions, probabilities

    def get_params(self):
        return {}

    def set_params(self):
        return self

    def predict(self, X):  # noqa: ARG002 - the signature is scikit-learn's
        if isinstance(self.predictions, Exception):
            raise self.predictions
        return np.asarray(self.predictions)

    def predict_proba(self, X):  # noqa: ARG002 - as above
        return np.asarray(self.probabilities)


ROWS = pa.table({"a": [1.0, 2.0, 3.0]})
GOOD = [[0.5, 0.5]] * 3
FEATURES = (Column("a", "numeric"),)


@pytest.mark.parametrize(
    ("pipeline", "words"),
    [
        (Fake([1.0, 2.0]), "gave 2 predictions for 3 rows"),
        (Fake([1.0, 2.0, 3.0, 4.0]), "gave 4 predictions for 3 rows"),
        (Fake([]), "gave 0 predictions for 3 rows"),
        (Fake([0, 1, 0], GOOD[:2]), "gave 2 predictions for 3 rows"),
        (Fake(np.zeros((3, 2))), "gave 2 predictions for each row"),
    ],
)
def test_answers_that_are_not_one_for_each_row_are_an_error(pipeline, words):
    proba = pipeline.probabilities is not None
    with pytest.raises(AfterfitError, match=words):
        Scorer(Predictor(pipeline, FEATURES), 1, ScoreColumns(proba=proba)).score(ROWS)


@pytest.mark.parametrize(
    ("pipeline", "rejected"),
    [
        (Fake([1.0, np.nan, 3.0]), [1]),
        (Fake([np.nan, 2.0, np.inf]), [0, 2]),
        (Fake([0, 1, 0], [[0.5, 0.5], [0.5, 0.5], [0.5, np.nan]]), [2]),
        (Fake([np.nan] * 3), [0, 1, 2]),
    ],
)
def test_a_row_whose_answer_is_no_finite_number_is_rejected(pipeline, rejected):
    scored = Scorer(
        Predictor(pipeline, FEATURES), 1, ScoreColumns(proba=pipeline.probabilities is not None)
    ).score(ROWS)
    assert sorted(scored.rejections) == rejected
    assert scored.rejected.to_pydict() == {
        "a": [ROWS["a"][row].as_py() for row in rejected],
        "reason": ["no_finite_answer"] * len(rejected),
        "detail": ["the model's answer is no finite number"] * len(rejected),
    }
    assert len(scored.scores) == 3 - len(rejected)


class Picky(Fake):
    """A pipeline that refuses rows by what they hold, and says why."""

    def __init__(self, refuses, why):
        self.refuses, self.why = refuses, why

    def predict(self, X):
        if self.refuses(X["a"].to_numpy()).any():
            raise ValueError(self.why)
        return X["a"].fillna(0).clip(-9, 9).to_numpy()


VALUES = [1.0, np.inf, 2.0, np.nan, 1e300, -np.inf, 3.0, np.nan]
INFINITE, LARGE, MISSING, REFUSED = (
    "infinite_value",
    "too_large_value",
    "missing_value",
    "refused_by_model",
)
INFINITY, NAN = (
    "Input X contains infinity or a value too large for dtype('float32').",
    "Input X contains NaN.",
)
PICKY = {
    "infinite": (np.isinf, INFINITY, {1: INFINITE, 5: INFINITE}),
    "missing": (np.isnan, NAN, {3: MISSING, 7: MISSING}),
    "infinite or large": (
        lambda a: np.abs(a) > 1e38,
        INFINITY,
        {1: INFINITE, 4: LARGE, 5: INFINITE},
    ),
    "positive, whatever it says": (lambda a: a > 1e38, "no", {1: REFUSED, 4: REFUSED}),
    "one value": (lambda a: a == 2.0, "no", {2: REFUSED}),
    "missing ones for another reason": (
        np.isnan,
        "Found unknown categories",
        {3: REFUSED, 7: REFUSED},
    ),
    "all": (lambda a: np.full(len(a), fill_value=True), "no", dict.fromkeys(range(8), REFUSED)),
}


@pytest.mark.parametrize(("refuses", "why", "rejected"), PICKY.values(), ids=PICKY.keys())
def test_rows_that_the_model_refuses_are_rejected_and_all_others_scored(refuses, why, rejected):
    table = pa.table({"a": pa.array(VALUES, from_pandas=False)})
    scored = Scorer(Predictor(Picky(refuses, why), FEATURES), 1).score(table, first_row=100)
    assert {row: found.reason for row, found in scored.rejections.items()} == rejected
    good = [row for row in range(len(VALUES)) if row not in rejected]
    assert (scored.scores["row"].to_pylist() if good else []) == [100 + row for row in good]


def test_one_bad_row_among_thousands_of_patterns_of_gaps_is_found():
    """A forest takes gaps; each combination of them must not cost a question of its own."""
    chance = np.random.default_rng(4)
    columns = {
        f"x{number}": np.where(chance.random(9000) < 0.4, np.nan, chance.normal(size=9000))
        for number in range(13)
    }
    columns["x0"][4321] = np.inf
    features = tuple(Column(name, "numeric") for name in columns)
    X = np.nan_to_num(np.column_stack(list(columns.values())), posinf=0)
    X[::3] = np.nan
    forest = RandomForestRegressor(3).fit(pd.DataFrame(X, columns=list(columns)), np.arange(9000.0))
    scored = Scorer(Predictor(forest, features), 1).score(pa.table(columns))
    assert {row: (why.reason, why.detail) for row, why in scored.rejections.items()} == {
        4321: ("infinite_value", "column 'x0'")
    }


@pytest.mark.parametrize("unknown", ["zz", "banana"])
def test_rows_that_are_alike_in_their_gaps_are_not_rejected_for_what_only_some_of_them_hold(
    unknown,
):
    """The first and the last row hold an unknown category.

    All rows have a gap, which the model takes. What the model says of bananas has "nan" in it.
    """
    table = pa.table({"c": [unknown, "a", "a", "a", unknown], "x": pa.nulls(5, pa.float64())})
    columns = ColumnTransformer([("c", OrdinalEncoder(), ["c"]), ("x", "passthrough", ["x"])])
    frame = pd.DataFrame({"c": ["a", "b"] * 20, "x": np.arange(40.0)})
    pipeline = make_pipeline(columns, HistGradientBoostingRegressor(max_iter=2)).fit(
        frame, np.arange(40.0)
    )
    features = (Column("c", "categorical"), Column("x", "numeric"))
    scored = Scorer(Predictor(pipeline, features), 1).score(table)
    assert {row: why.reason for row, why in scored.rejections.items()} == {0: REFUSED, 4: REFUSED}


def test_a_strict_model_rejects_just_the_rows_with_an_unknown_category_however_many():
    chance = np.random.default_rng(4)
    cities, sides = (
        chance.choice(["a", "b", "c", "zz"], 5000),
        chance.choice(["l", "r", "infinity", None], 5000),
    )
    table = pa.table({"city": cities.tolist(), "side": sides.tolist()})
    prepared = ColumnTransformer(
        [
            ("strict", OneHotEncoder(), ["city"]),
            ("lenient", OneHotEncoder(handle_unknown="ignore"), ["side"]),
        ]
    )
    known = pd.DataFrame({"city": ["a", "b", "c"] * 10, "side": ["l", "r", "r"] * 10})
    features = (Column("city", "categorical"), Column("side", "categorical"))
    pipeline = make_pipeline(prepared, Ridge()).fit(known, np.arange(30.0))
    scored = Scorer(make_predictor(pipeline, features, table), 1).score(table)
    assert sorted(scored.rejections) == np.flatnonzero(cities == "zz").tolist()
    assert {(why.reason, why.detail) for why in scored.rejections.values()} == {
        ("unknown_category", "column 'city'")
    }
    assert scored.unknown == {"side": np.count_nonzero((cities != "zz") & (sides == "infinity"))}


def test_a_text_that_the_model_takes_is_not_rejected_for_what_another_row_or_column_holds():
    """An imputer makes "?" a known string, and a lenient encoder takes any string.

    Row 0 is refused for "Atlantis", row 2 for its number.
    """
    table = pa.table(
        {"c": ["Atlantis", "?", "?", "a"], "d": ["new", "new", "x", "x"], "n": [1.0, 1.0, 7.0, 1.0]}
    )
    prepared = ColumnTransformer(
        [
            (
                "c",
                make_pipeline(
                    SimpleImputer(missing_values="?", strategy="most_frequent"), OneHotEncoder()
                ),
                ["c"],
            ),
            ("d", OneHotEncoder(handle_unknown="ignore"), ["d"]),
            ("n", OneHotEncoder(), ["n"]),
        ]
    )
    known = pd.DataFrame({"c": ["a", "b"] * 10, "d": ["x", "y"] * 10, "n": [1.0, 2.0] * 10})
    features = (Column("c", "categorical"), Column("d", "categorical"), Column("n", "numeric"))
    pipeline = make_pipeline(prepared, Ridge()).fit(known, np.arange(20.0))
    scored = Scorer(make_predictor(pipeline, features), 1).score(table)
    assert {row: why.reason for row, why in scored.rejections.items()} == {0: REFUSED, 2: REFUSED}


@pytest.mark.parametrize("first", [0, 3])
def test_rows_that_are_refused_at_regular_distances_are_told_from_a_model_that_refuses_all(first):
    table = pa.table({"a": np.arange(20_000.0)})
    refused = find_refused(
        table, FEATURES, lambda rows: "no" if (rows % 100 == first).any() else None, {}
    )
    assert sorted(refused) == list(range(first, 20_000, 100))


def test_a_model_that_refuses_every_row_is_not_asked_about_each():
    asked = []

    def refuse(rows):
        asked.append(len(rows))
        return "no"

    table = pa.table({"a": np.arange(100_000.0)})
    with pytest.raises(AfterfitError, match="very many rows are refused, none like another: no"):
        find_refused(table, FEATURES, refuse, {})
    assert len(asked) < 200


def test_hundreds_of_rows_that_have_nothing_in_common_are_found_one_by_one():
    bad = np.random.default_rng(4).choice(131_072, 400, replace=False)
    table = pa.table({"a": np.arange(131_072.0)})
    refused = find_refused(
        table, FEATURES, lambda rows: "no" if np.isin(rows, bad).any() else None, {}
    )
    assert sorted(refused) == sorted(bad)


def test_a_missing_id_is_rejected_before_the_model_is_asked(mixed, fitted):
    table = mixed.slice(0, 3).append_column("id", pa.array(["a", None, "c"]))
    scored = scorer_of(fitted("sklearn.linear_model.Ridge"), mixed, id="id").score(table)
    assert {row: why.reason for row, why in scored.rejections.items()} == {1: "missing_id"}
    assert scored.scores["id"].to_pylist() == ["a", "c"]


def test_an_infinite_number_is_rejected_by_a_model_that_cannot_take_it_and_scored_by_one_that_can(
    mixed, fitted
):
    table = mixed.slice(0, 2).set_column(0, "number", pa.array([1.0, np.inf]))
    refused = scorer_of(fitted("sklearn.linear_model.Ridge"), mixed).score(table)
    assert [(row, why.reason, why.detail) for row, why in refused.rejections.items()] == [
        (1, "infinite_value", "column 'number'")
    ]
    assert len(refused.scores) == 1
    taken = scorer_of(
        fitted("sklearn.ensemble.HistGradientBoostingRegressor", max_iter=5), mixed
    ).score(table)
    assert (taken.rejected, len(taken.scores)) == (None, 2)


@pytest.mark.parametrize(
    ("predictions", "type_"),
    [
        ([0.5, 1.5, 2.5], pa.float64()),
        ([1, 2, 3], pa.int64()),
        ([True, False, True], pa.bool_()),
        (["a", "b", "c"], pa.string()),
        (np.asarray(["a", "b", "c"], dtype=object), pa.string()),
        (np.asarray([0.5, 1.5, 2.5], dtype=np.float32), pa.float32()),
        ([[0.5], [1.5], [2.5]], pa.float64()),
    ],
)
def test_predictions_keep_their_type(predictions, type_):
    scores = Scorer(Predictor(Fake(predictions), FEATURES), 1).score(ROWS).scores
    assert scores["prediction"].type == type_
    assert scores["prediction"].to_pylist() == np.asarray(predictions).reshape(3).tolist()


@pytest.mark.parametrize(
    ("id_", "keep", "refused"),
    [
        ("id", ("a", "b"), None),
        (None, ("id",), None),
        (None, ("row",), "row"),
        ("id", ("id",), "id"),
        ("id", ("a", "a"), "a"),
        ("prediction", (), "prediction"),
        ("id", ("model_version",), "model_version"),
        ("id", ("probability_1",), "probability_1"),
    ],
)
def test_carried_columns_must_not_meet_those_of_the_scores(id_, keep, refused):
    if refused is None:
        assert check_carried(id_, keep) is None
        return
    with pytest.raises(RequestError, match=f"column '{refused}' would occur twice"):
        check_carried(id_, keep)


def test_a_column_named_like_one_of_quarantine_is_kept_under_another_name():
    table = pa.table({"reason": [np.inf, 1.0], "input": ["x", "y"]})
    scorer = Scorer(
        Predictor(Fake([np.nan, 1.0]), (Column("reason", "numeric"),)),
        1,
        ScoreColumns(keep=("input",)),
    )
    assert scorer.score(table).rejected.column_names == [
        "column_reason",
        "column_input",
        "reason",
        "detail",
    ]
