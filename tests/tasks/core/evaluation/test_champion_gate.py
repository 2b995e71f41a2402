import math

import numpy as np
import pytest

from tasks.core.evaluation.champion_gate import judge_champion
from tasks.core.spec.sections import ChampionGate

MAE = ChampionGate(metric="mae")
ZERO_ONE = ChampionGate(metric="zero_one_loss")
LOSSES = np.random.default_rng(1).gamma(2.0, size=1000)
SHUFFLED = np.random.default_rng(2).permutation(LOSSES)


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
        (SHUFFLED, 0.01, False),
        (SHUFFLED, 0.5, True),
    ],
)
def test_a_challenger_may_be_worse_by_the_margin_and_no_more(challenger, margin, passed):
    """One that is as good on average, on other rows, needs a margin that covers the doubt."""
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
    gate = judge_champion(challenger, perfect, ZERO_ONE)
    assert (gate.passed, gate.found) == (False, math.inf)
    assert judge_champion(perfect, perfect, ZERO_ONE).passed
