import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.evaluation.bootstrap import MAX_UNITS, relative_increase, upper_bound
from tasks.core.evaluation.gates import (
    MIN_SEGMENT_ROWS,
    judge_champion,
    judge_limits,
    judge_segments,
    pick_best,
)
from tasks.core.evaluation.verdict import Gate, Verdict
from tasks.core.spec.sections import ChampionGate, Limit, SegmentGate

MAE = ChampionGate(metric="mae")
LOSSES = np.random.default_rng(1).gamma(2.0, size=1000)


@pytest.mark.parametrize(
    ("found", "limit", "passed", "allowed"),
    [
        (60.0, {"max": 60}, True, "at most 60"),
        (60.1, {"max": 60}, False, "at most 60"),
        (0.9, {"min": 0.9}, True, "at least 0.9"),
        (0.89, {"min": 0.9}, False, "at least 0.9"),
        (0.5, {"min": 0.1, "max": 0.9}, True, "at least 0.1 and at most 0.9"),
        (0.95, {"min": 0.1, "max": 0.9}, False, "at least 0.1 and at most 0.9"),
        (0.0, {"min": 0.0, "max": 0.0}, True, "at least 0 and at most 0"),
        (-1.0, {"max": 0}, True, "at most 0"),
        (math.nan, {"max": 60}, False, "at most 60"),
        (math.nan, {"min": -1e300}, False, "at least -1e+300"),
        (math.inf, {"max": 60}, False, "at most 60"),
        (None, {"max": 60}, False, "at most 60"),
    ],
)
def test_a_figure_must_be_a_number_within_its_limits(found, limit, passed, allowed):
    """A figure that is missing is as good as one that is not a number."""
    metrics = {} if found is None else {"mae": found}
    (gate,) = judge_limits(metrics, {"mae": Limit(**limit)})
    assert (gate.name, gate.passed, gate.allowed) == ("limit of mae", passed, allowed)
    assert gate.reason.endswith(f"allowed is {allowed}")


def test_a_dummy_does_not_replace_a_good_model():
    gate = judge_champion(LOSSES + 1, LOSSES, MAE)
    assert not gate.passed
    assert gate.found > 1 / LOSSES.mean() * 0.9


@pytest.mark.parametrize(
    ("challenger", "margin", "passed"),
    [
        (LOSSES, 0.0, True),
        (LOSSES * 0.99, 0.0, True),
        (LOSSES * 1.005, 0.01, True),
        (LOSSES * 1.005, 0.0, False),
        (LOSSES * 1.02, 0.01, False),
        (np.random.default_rng(2).permutation(LOSSES), 0.01, False),
        (np.random.default_rng(2).permutation(LOSSES), 0.5, True),
    ],
)
def test_a_challenger_may_be_worse_by_the_margin_and_no_more(challenger, margin, passed):
    """One that is as good on average, on other rows, passes only where the margin covers the
    doubt.
    """
    gate = judge_champion(challenger, LOSSES, ChampionGate(metric="mae", margin=margin))
    assert gate.passed is passed
    assert (gate.found <= margin) is passed


def test_a_champion_that_has_seen_every_row_cannot_be_beaten():
    gate = judge_champion(np.array([]), np.array([]), MAE)
    assert (gate.passed, gate.found) == (False, None)
    assert gate.reason == "the champion was trained on every held-out row, so none can judge it"


@pytest.mark.parametrize("worse_rows", [1, 3, 50, 100])
def test_against_a_champion_without_a_mistake_any_mistake_in_sight_is_refused(worse_rows):
    perfect = np.zeros(100)
    challenger = np.where(np.arange(100) < worse_rows, 1.0, 0.0)
    gate = judge_champion(challenger, perfect, ChampionGate(metric="zero_one_loss"))
    assert (gate.passed, gate.found) == (False, math.inf)
    assert judge_champion(perfect, perfect, ChampionGate(metric="zero_one_loss")).passed


@settings(max_examples=15)
@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=60),
    st.sampled_from(["mae", "rmse", "log_loss", "brier", "zero_one_loss"]),
    st.floats(0.51, 0.999),
)
def test_identical_losses_rise_by_nothing(losses, metric, confidence):
    same = np.asarray(losses)
    assert upper_bound(same, same.copy(), ChampionGate(metric=metric, confidence=confidence)) == 0.0


@pytest.mark.parametrize("rows", [1, 2, 17, 1001, MAX_UNITS, MAX_UNITS + 1])
def test_identical_losses_rise_by_nothing_on_any_number_of_rows(rows):
    same = np.random.default_rng(rows).gamma(2.0, size=rows)
    assert upper_bound(same, same.copy(), MAE) == 0.0


@settings(max_examples=10)
@given(st.lists(st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)), min_size=2, max_size=40))
def test_more_confidence_never_lowers_the_bound_and_it_stays_within_the_rows(pairs):
    challenger, champion = np.asarray(pairs).T
    bounds = [
        upper_bound(challenger, champion, ChampionGate(metric="mae", confidence=level))
        for level in (0.6, 0.8, 0.95, 0.99)
    ]
    assert bounds == sorted(bounds)
    rises = challenger / champion - 1
    assert rises.min() - 1e-9 <= bounds[0]
    assert bounds[-1] <= rises.max() + 1e-9


def test_the_bound_depends_on_the_losses_and_the_seed_alone():
    other = LOSSES[::-1].copy()
    assert upper_bound(other, LOSSES, MAE, seed=3) == upper_bound(other, LOSSES, MAE, seed=3)
    assert upper_bound(other, LOSSES, MAE, seed=3) != upper_bound(other, LOSSES, MAE, seed=4)


def test_the_bound_is_near_the_normal_one_also_where_rows_are_grouped():
    chance = np.random.default_rng(6)
    for rows in (2000, 3 * MAX_UNITS):
        champion = chance.gamma(2.0, size=rows)
        challenger = champion + chance.normal(0.02, 0.5, size=rows)
        spread = (
            (challenger - champion * challenger.mean() / champion.mean()).std()
            / champion.mean()
            / rows**0.5
        )
        expected = challenger.mean() / champion.mean() - 1 + 1.645 * spread
        assert upper_bound(challenger, champion, MAE) == pytest.approx(expected, abs=0.2 * spread)


def test_a_segment_that_gets_much_worse_is_refused_and_one_with_few_rows_is_only_shown():
    names = np.asarray(
        ["big"] * 100 + ["small"] * (MIN_SEGMENT_ROWS - 1) + ["fine"] * MIN_SEGMENT_ROWS
    )
    champion = np.ones(len(names))
    challenger = np.where(names == "fine", 1.1, 2.0)
    gates = judge_segments(
        challenger, champion, names, SegmentGate(max_relative_loss=0.1001), "mae"
    )
    assert [(gate.name, gate.passed) for gate in gates] == [
        ("segment big", False), ("segment fine", True), ("segment small", True),
    ]  # fmt: skip
    assert [gate.found for gate in gates] == pytest.approx([1.0, 0.1, 1.0])
    assert [gate.allowed for gate in gates] == [
        "at most +10.0%",
        "at most +10.0%",
        "too few rows to judge",
    ]


@pytest.mark.parametrize(
    ("challenger", "champion", "rise"),
    [(2.0, 1.0, 1.0), (1.0, 2.0, -0.5), (0.0, 0.0, 0.0), (0.0, 1.0, -1.0), (1e-300, 0.0, math.inf)],
)
def test_the_rise_is_relative_to_the_champion(challenger, champion, rise):
    assert relative_increase(challenger, champion) == rise


def test_a_verdict_passes_when_every_gate_does_and_gives_the_reasons_of_those_that_do_not():
    good, bad = Gate("a", True, 1.0, "", "fine"), Gate("b", False, 2.0, "", "too much")
    assert (Verdict((good,), 5).passed, Verdict((good,), 5).reasons) == (True, [])
    assert (Verdict((good, bad), 5).passed, Verdict((good, bad), 5).reasons) == (
        False,
        ["too much"],
    )


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        ([3.0, 1.0, 2.0], 1),
        ([1.0, 1.0], 0),
        ([math.nan, 5.0], 1),
        ([math.inf, 2.0], 1),
        ([math.nan, math.nan], 0),
    ],
)
def test_the_best_is_the_first_of_the_smallest(losses, best):
    assert pick_best(losses) == best
