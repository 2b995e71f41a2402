import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.evaluation.bootstrap import MAX_UNITS, relative_increase, upper_bound
from tasks.core.spec.sections import ChampionGate

MAE = ChampionGate(metric="mae")
LOSSES = np.random.default_rng(1).gamma(2.0, size=1000)


@settings(max_examples=15)
@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=60),
    st.sampled_from(["mae", "rmse", "log_loss", "brier", "zero_one_loss"]),
    st.floats(0.51, 0.999),
)
def test_identical_losses_rise_by_nothing(losses, metric, confidence):
    same = np.asarray(losses)
    gate = ChampionGate(metric=metric, confidence=confidence)
    assert upper_bound(same, same.copy(), gate) == 0.0


@pytest.mark.parametrize("rows", [1, 2, 17, 1001, MAX_UNITS, MAX_UNITS + 1])
def test_identical_losses_rise_by_nothing_on_any_number_of_rows(rows):
    same = np.random.default_rng(rows).gamma(2.0, size=rows)
    assert upper_bound(same, same.copy(), MAE) == 0.0


@settings(max_examples=10)
@given(st.lists(st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)), min_size=2, max_size=40))
def test_more_confidence_never_lowers_the_bound_and_it_stays_within_the_rows(pairs):
    challenger, champion = np.asarray(pairs).T
    bounds = []
    for confidence in (0.6, 0.8, 0.95, 0.99):
        gate = ChampionGate(metric="mae", confidence=confidence)
        bounds.append(upper_bound(challenger, champion, gate))
    assert bounds == sorted(bounds)

    rises = challenger / champion - 1
    assert rises.min() - 1e-9 <= bounds[0]
    assert bounds[-1] <= rises.max() + 1e-9


def test_the_bound_depends_on_the_losses_and_the_seed_alone():
    reversed_ = LOSSES[::-1].copy()
    bound = upper_bound(reversed_, LOSSES, MAE, seed=3)
    assert upper_bound(reversed_, LOSSES, MAE, seed=3) == bound
    assert upper_bound(reversed_, LOSSES, MAE, seed=4) != bound


@pytest.mark.parametrize("rows", [2000, 3 * MAX_UNITS])
def test_the_bound_is_near_the_normal_one_also_where_rows_are_grouped(rows):
    chance = np.random.default_rng(6)
    champion = chance.gamma(2.0, size=rows)
    challenger = champion + chance.normal(0.02, 0.5, size=rows)

    # The delta method: the spread of a ratio of means.
    ratio = challenger.mean() / champion.mean()
    spread = (challenger - champion * ratio).std() / champion.mean() / rows**0.5
    expected = ratio - 1 + 1.645 * spread
    assert upper_bound(challenger, champion, MAE) == pytest.approx(expected, abs=0.2 * spread)


@pytest.mark.parametrize(
    ("challenger", "champion", "rise"),
    [(2.0, 1.0, 1.0), (1.0, 2.0, -0.5), (0.0, 0.0, 0.0), (0.0, 1.0, -1.0), (1e-300, 0.0, math.inf)],
)
def test_the_rise_is_relative_to_the_champion(challenger, champion, rise):
    assert relative_increase(challenger, champion) == rise
