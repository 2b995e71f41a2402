import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_iris

from tasks.core.evaluation.leak_gates import judge_counters, judge_giveaways
from tasks.core.tables.columns import feature_columns

ROWS = 300
CHANCE = np.random.default_rng(9)
HELD_OUT = CHANCE.random(ROWS) < 0.2
SIZE = CHANCE.normal(size=ROWS)
PRICE = 3 * SIZE + CHANCE.normal(size=ROWS)
LABEL = np.where(PRICE > 0, "yes", "no")
DAYS = np.datetime64("2024-01-01", "us") + np.arange(ROWS) * np.timedelta64(1, "D")
GAPS = [None if number % 9 == 0 else number for number in range(ROWS)]


def judge(gate, spec, *, features=None, **columns):
    """Judge some columns beside a good feature, of rows that are split by chance."""
    table = pa.table({"size": SIZE, "price": PRICE, "label": LABEL} | columns)
    features = features or feature_columns(table.schema, ["price", "label"])
    train, held_out = table.filter(pa.array(~HELD_OUT)), table.filter(pa.array(HELD_OUT))
    return gate(train, held_out, features, spec)


@pytest.fixture
def spec_of(make_spec):
    """Make a spec of either problem."""

    def make(target, **data):
        problem = "regression" if target == "price" else "classification"
        name = "Ridge" if target == "price" else "LogisticRegression"
        return make_spec(
            problem=problem,
            data={"source": "/in/a.csv", "target": target, **data},
            candidates=[{"estimator": f"sklearn.linear_model.{name}"}],
        )

    return make


@pytest.mark.parametrize(
    ("target", "column", "leaks"),
    [
        ("price", 100 * PRICE, True),
        ("price", np.round(PRICE, 1), True),
        ("price", np.exp(PRICE), True),
        ("price", PRICE + CHANCE.normal(scale=0.5, size=ROWS), False),
        ("price", CHANCE.normal(size=ROWS), False),
        ("label", np.where(PRICE > 0, "won", "lost"), True),
        ("label", PRICE > 0, True),
        ("label", PRICE, True),
        ("label", pa.array([None if price > 0 else price for price in PRICE]), True),
        ("label", CHANCE.choice(["a", "b"], ROWS), False),
        ("label", np.where(CHANCE.random(ROWS) < 0.95, PRICE > 0, PRICE < 0), False),
    ],
)
def test_a_feature_that_gives_the_target_away_is_named(spec_of, target, column, leaks):
    gate = judge(judge_giveaways, spec_of(target), clue=column)
    assert gate.passed is not leaks
    assert gate.allowed == ("below 0.999" if target == "price" else "below 0.99")
    assert "'clue'" in gate.reason or not leaks
    assert ("put it into data.drop, or into gates.leaks" in gate.reason) is leaks


@pytest.mark.parametrize(
    ("column", "counts"),
    [
        (np.arange(ROWS), True),
        (np.arange(ROWS) + 70_001.0, True),
        (CHANCE.permutation(ROWS), True),
        (np.arange(ROWS)[::-1] * 10, True),
        (np.cumsum(CHANCE.integers(1, 4, ROWS)), True),
        ([f"M{number:05d}" for number in range(ROWS)], True),
        (CHANCE.permutation([f"2024 {day}" for day in range(ROWS)]), True),
        ([None, *range(1, ROWS)], True),
        ([None, *(f"M{number:05d}" for number in range(1, ROWS))], True),
        (GAPS, False),
        (np.arange(ROWS) % 24, False),
        (np.arange(ROWS) % 365 + 1, True),
        (np.arange(ROWS) / 10, False),
        (CHANCE.permutation(np.arange(ROWS) * 10), False),
        (CHANCE.integers(0, 10**9, ROWS), False),
        (DAYS, False),
        (CHANCE.choice(["a", "b", "c"], ROWS), False),
        (np.arange(ROWS) % 2 == 0, False),
    ],
)
def test_a_feature_that_counts_or_names_the_rows_is_named(spec_of, column, counts):
    gate = judge(judge_counters, spec_of("price"), row=column)
    assert gate.passed is not counts
    if counts:
        assert gate.reason == (
            "feature 'row' counts or names the rows, as an id does: name it in data.id, or put it "
            "into data.drop, or into gates.leaks if it is known before a row is scored"
        )


def test_the_time_column_may_count_the_rows(spec_of):
    assert judge(judge_counters, spec_of("price", time="t"), t=np.arange(ROWS)).passed


@pytest.mark.parametrize(("rows", "rare"), [(600, 30), (2000, 40), (60_000, 25)])
def test_a_leak_of_a_rare_class_is_found(spec_of, rows, rare):
    """Of the held-out rows alone, only a few would be of that class."""
    chance = np.random.default_rng(3)
    is_rare = chance.permutation(rows) < rare
    label = np.where(is_rare, "fraud", "fine")
    table = pa.table({"size": chance.random(rows), "clue": is_rare + 0.1, "label": label})
    held_out = pa.array(chance.random(rows) < 0.2)
    features = feature_columns(table.schema, ["label"])
    sides = table.filter(pa.compute.invert(held_out)), table.filter(held_out)
    gate = judge_giveaways(*sides, features, spec_of("label"))
    assert "feature 'clue' alone predicts the target" in gate.reason


def test_a_class_too_rare_to_judge_is_said(spec_of):
    label = np.where(np.arange(ROWS) % 20 == 0, "fraud", "fine")
    gate = judge(judge_giveaways, spec_of("label"), label=label, clue=label)
    assert (gate.passed, gate.found) == (True, None)
    assert gate.reason.startswith("15 rows of other classes than the commonest are too few")


@pytest.mark.parametrize("seed", range(20))
def test_a_good_feature_that_gets_the_few_held_out_rows_right_is_no_leak(spec_of, seed):
    """A petal tells the kind of an iris in 19 of 20 cases, and in 30 of 30 now and then."""
    table = pa.Table.from_pandas(load_iris(as_frame=True).frame.rename(columns={"target": "label"}))
    features = feature_columns(table.schema, ["label"])
    held_out = np.random.default_rng(seed).random(len(table)) < 0.2
    sides = table.filter(pa.array(~held_out)), table.filter(pa.array(held_out))
    assert judge_giveaways(*sides, features, spec_of("label")).passed


def test_a_label_that_changes_with_time_is_not_told_by_the_time(spec_of):
    label = np.where(np.arange(ROWS) // 60 % 2 == 0, "up", "down")
    table = pa.table({"day": np.arange(ROWS) + 0.5, "label": label})
    features = feature_columns(table.schema, ["label"])
    sides = table.slice(0, 230), table.slice(230)
    assert judge_giveaways(*sides, features, spec_of("label")).passed


def test_few_rows_do_not_judge(spec_of):
    table = pa.table({"clue": PRICE[:40], "price": PRICE[:40], "row": range(40)})
    features = feature_columns(table.schema, ["price"])
    rows = (table.slice(0, 30), table.slice(30), features, spec_of("price"))
    assert judge_giveaways(*rows).passed
    assert judge_counters(*rows).passed
    assert "10 held-out rows are too few" in judge_giveaways(*rows).reason


def test_many_leaks_are_told_in_a_short_sentence(spec_of):
    clues = {f"clue{number}": PRICE * number for number in range(1, 50)}
    gate = judge(judge_giveaways, spec_of("price"), **clues)
    assert "'clue1', 'clue2', 'clue3' and 46 more alone" in gate.reason
    assert len(gate.reason) < 300
