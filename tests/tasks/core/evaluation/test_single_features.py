import numpy as np
import pytest

from tasks.core.evaluation.single_features import skill_alone

ROWS = 400
CHANCE = np.random.default_rng(5)
NOISE = CHANCE.normal(size=ROWS)
X = CHANCE.normal(size=ROWS)
GROUP = CHANCE.integers(0, 5, ROWS).astype(float)
SOME_MISSING = np.where(X > 0, np.nan, X)
REGRESSION = {
    "the target in another unit": (X, 100 * X + 3, 1.0),
    "the target on another scale": (X, np.exp(X), 1.0),
    "a group that fixes the target": (GROUP, np.cos(GROUP), 1.0),
    "a strong feature": (X, X + 0.1 * NOISE, 0.98),
    "noise": (NOISE, X, 0.0),
    "a constant feature": (np.ones(ROWS), X, 0.0),
    "a target that does not vary": (X, np.ones(ROWS), 0.0),
}
LABELS = {
    "a code of the label": (np.where(X > 0.3, 7.0, 2.0), X > 0.3, 1.0),
    "five codes of two labels": (GROUP, GROUP % 2, 1.0),
    "missing where the label is positive": (SOME_MISSING, X > 0, 1.0),
    "noise": (NOISE, X > 0, 0.0),
    "a label that is rare": (X, np.arange(ROWS) % 100 == 0, 0.0),
}


def halves(values):
    return values[::2], values[1::2]


@pytest.mark.parametrize("case", REGRESSION)
def test_the_skill_of_one_feature_for_a_number(case):
    x, y, expected = REGRESSION[case]
    (x_train, x_held), (y_train, y_held) = halves(x), halves(y)
    found = skill_alone(x_train, y_train, x_held, y_held, "regression")
    assert max(found, 0) == pytest.approx(expected, abs=0.03)
    assert (found >= 0.999) is (expected == 1)


@pytest.mark.parametrize("case", LABELS)
def test_the_skill_of_one_feature_for_a_label(case):
    x, label, expected = LABELS[case]
    (x_train, x_held), (y_train, y_held) = halves(x), halves(label.astype(int))
    found = skill_alone(x_train, y_train, x_held, y_held, "classification")
    assert max(found, 0) == pytest.approx(expected, abs=0.2)
    assert (found == 1) is (expected == 1)


def test_a_line_goes_on_beyond_the_values_that_train():
    """The newest rows judge, and hold values that no older row has."""
    x = np.arange(200.0)
    assert skill_alone(x[:160], 3 * x[:160], x[160:], 3 * x[160:], "regression") > 0.999


def test_a_feature_without_any_value_tells_nothing():
    x = np.full(ROWS, np.nan)
    assert skill_alone(x, X, x, X, "regression") == 0
