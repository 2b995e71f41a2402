from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from tasks.core.errors import RequestError
from tasks.core.evaluation.evidence import (
    ChampionLosses,
    champion_losses,
    check_model,
    measure_rows,
    segment_names,
)
from tasks.core.evaluation.gates import judge
from tasks.core.model.metadata import check_scikit_learn
from tasks.core.model.open import Model
from tasks.core.model.predictor import make_predictor
from tasks.core.tables.split import held_out

ROWS = 200
TABLE = pa.table({
    "id": pa.array([str(number) for number in range(ROWS)]),
    "a": pa.array(np.random.default_rng(3).normal(size=ROWS)),
    "season": pa.array([1.0, 2.0] * (ROWS // 2)),
    "y": pa.array(np.random.default_rng(3).normal(size=ROWS)),
})  # fmt: skip
SECTIONS = {"data": {"source": "/in/t.parquet", "target": "y", "id": "id", "segment": "season"}}


class Shifted:
    """Predictions a column, shifted."""

    def __init__(self, by, column="a"):
        self.by, self.column = by, column

    def get_params(self):
        return {}

    def set_params(self):
        return self

    def predict(self, X):
        return X[self.column].to_numpy() + self.by


@pytest.fixture
def spec(make_spec):
    return make_spec(**SECTIONS)


@pytest.fixture
def card(make_card):
    return make_card(TABLE.schema, **SECTIONS)


def test_evidence_is_measured_over_all_rows_and_segment_by_segment(spec, card):
    shown = measure_rows(Shifted(0.5), TABLE, card.features, spec)
    assert shown.losses == pytest.approx(np.full(ROWS, 0.5))
    assert shown.metrics["mae"] == pytest.approx(0.5)
    assert sorted(shown.segments) == ["1", "2"]
    assert all(metrics["rmse"] == pytest.approx(0.5) for metrics in shown.segments.values())


def test_without_a_segment_there_are_none(make_spec, card):
    assert measure_rows(Shifted(0), TABLE, card.features, make_spec()).segments == {}
    assert segment_names(TABLE, make_spec()) is None


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([1.0, 2.5, None], ["1", "2.5", "(missing)"]),
        (["north", "", None], ["north", "", "(missing)"]),
        ([True, False, None], ["True", "False", "(missing)"]),
    ],
)
def test_a_segment_is_named_by_its_value(spec, values, names):
    assert segment_names(pa.table({"season": values}), spec).tolist() == names


@pytest.fixture
def against(card, model):
    """The losses of a pipeline as if it were the champion, with its metadata."""

    def measured(pipeline, table, spec, metadata=card):
        def open_champion(version):
            return Model(version, metadata, make_predictor(pipeline, metadata.features))

        return champion_losses(model, table, spec, open_champion)

    return measured


def test_a_champion_judges_only_rows_it_was_not_trained_on(spec, card, against):
    champion = against(Shifted(0.25), TABLE, spec)
    unseen = held_out(TABLE, card.split)
    assert (champion.rows_seen, champion.problem) == (int((~unseen).sum()), "")
    assert champion.losses[unseen] == pytest.approx(np.full(unseen.sum(), 0.25))
    assert np.isnan(champion.losses[~unseen]).all()


@pytest.mark.parametrize(
    ("table", "pipeline", "words"),
    [
        (TABLE.drop_columns(["a"]), Shifted(0), "the held-out rows: column 'a' is missing"),
        (TABLE.set_column(1, "a", pa.array(["x"] * ROWS)), Shifted(0), "column 'a' is string"),
        (TABLE, Shifted(np.nan), "no finite numbers"),
        (TABLE, object(), "has no attribute"),
    ],
)
def test_a_champion_that_cannot_score_the_rows_judges_none_and_says_why(
    spec, against, table, pipeline, words
):
    champion = against(pipeline, table, spec)
    assert np.isnan(champion.losses).all()
    assert champion.problem.startswith("the champion cannot be compared, because ")
    assert words in champion.problem


@pytest.mark.parametrize(("most", "passed"), [(1.0, True), (0.4, False)])
def test_a_champion_that_cannot_be_compared_leaves_the_limits_to_judge(make_spec, most, passed):
    """It never keeps out a good challenger for ever, and never lets a bad one in."""
    spec = make_spec(**SECTIONS, gates={"limits": {"mae": {"max": most}}})
    champion = ChampionLosses(np.full(ROWS, np.nan), 0, "the champion cannot be compared, because")
    verdict = judge({"mae": 0.5}, np.full(ROWS, 0.5), champion, TABLE, spec, TABLE, ())
    assert (verdict.passed, verdict.rows) == (passed, ROWS)
    assert {gate.name: gate.passed for gate in verdict.gates} == {
        "limit of mae": passed, "champion not compared": True, **NO_LEAKS,
    }  # fmt: skip
    assert verdict.gates[1].reason == f"{champion.problem}; the limits alone judge"


@pytest.mark.parametrize("labels", [[0, 1], ["No", "Yes"], [False, True]])
def test_a_champion_of_other_classes_cannot_be_compared(make_spec, make_card, model, labels):
    sections = {
        "problem": "classification",
        "data": {"source": "/in/t.parquet", "target": "k"},
        "candidates": [{"estimator": "sklearn.linear_model.LogisticRegression"}],
    }
    table = pa.table({"a": TABLE["a"], "k": ["no", "yes"] * (ROWS // 2)})
    card = make_card(table.schema, **sections)
    frame = table.select(["a"]).to_pandas()
    fitted = LogisticRegression().fit(frame, labels * (ROWS // 2))

    def open_champion(version):
        return Model(version, card, make_predictor(fitted, card.features))

    champion = champion_losses(model, table, make_spec(**sections), open_champion)
    expected = "the champion cannot be compared, because it knows none of the classes of 'k'"
    assert champion.problem == expected
    assert np.isnan(champion.losses).all()


def test_a_champion_whose_files_are_gone_cannot_be_compared(spec, model):
    gone = replace(model, problem="its files are not those that were registered.")
    champion = champion_losses(gone, TABLE, spec)
    expected = (
        "the champion cannot be compared, because its files are not those that were registered"
    )
    assert champion.problem == expected


def test_a_champion_of_another_problem_or_version_judges_none_and_says_why(
    spec, card, against, model
):
    other = replace(card, problem="classification")
    assert (
        "it is about classification, the spec about regression"
        in against(Shifted(0), TABLE, spec, other).problem
    )

    def refuse(_):
        check_scikit_learn("1.2.0", "1.9.1")

    assert "made with scikit-learn 1.2.0" in champion_losses(model, TABLE, spec, refuse).problem


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (object(), "object is no scikit-learn estimator"),
        (LinearSVC(), "The model gives no probabilities"),
    ],
)
def test_a_model_that_cannot_do_what_the_spec_asks_for_is_refused(make_spec, model, words):
    spec = make_spec(
        problem="classification",
        candidates=[{"estimator": "sklearn.linear_model.LogisticRegression"}],
    )
    assert check_model(LogisticRegression(), spec) is None
    with pytest.raises(RequestError, match=words):
        check_model(model, spec)


LOSSES = np.full(ROWS, 0.5)
NO_LEAKS = {"no feature gives the target away": True, "no feature counts the rows": True}


def test_the_first_model_has_only_its_limits_to_pass(make_spec):
    for most, passed in ((1.0, True), (0.4, False)):
        spec = make_spec(**SECTIONS, gates={"limits": {"mae": {"max": most}}})
        verdict = judge({"mae": 0.5}, LOSSES, None, TABLE, spec, TABLE, ())
        assert (verdict.passed, verdict.rows) == (passed, ROWS)
        assert [gate.name for gate in verdict.gates] == [
            "limit of mae",
            "not worse than the champion",
            *NO_LEAKS,
        ]


@pytest.mark.parametrize(
    ("champion", "passed", "rows"),
    [
        (LOSSES, True, ROWS),
        (LOSSES * 2, True, ROWS),
        (LOSSES / 2, False, ROWS),
        (np.where(np.arange(ROWS) < 100, np.nan, 0.5), True, 100),
        (np.where(np.arange(ROWS) < 100, np.nan, 0.25), False, 100),
        (np.full(ROWS, np.nan), False, 0),
    ],
)
def test_a_champion_is_compared_on_the_rows_it_can_judge(spec, champion, passed, rows):
    seen = int(np.isnan(champion).sum())
    verdict = judge({"mae": 0.5}, LOSSES, ChampionLosses(champion, seen), TABLE, spec, TABLE, ())
    assert (verdict.passed, verdict.rows, verdict.rows_seen_by_champion) == (passed, rows, seen)


def test_a_challenger_that_is_better_overall_and_much_worse_in_one_segment_is_refused(spec):
    second = np.asarray(TABLE["season"].to_pylist()) == 2.0
    champion = ChampionLosses(np.where(second, 0.1, 2.0), 0)
    verdict = judge({"mae": 0.5}, np.where(second, 0.2, 0.5), champion, TABLE, spec, TABLE, ())
    assert {gate.name: gate.passed for gate in verdict.gates} == {
        "not worse than the champion": True, "segment 1": True, "segment 2": False,
        **NO_LEAKS,
    }  # fmt: skip
    assert "in segment 2, mae is +100.0%" in verdict.reasons[0]
