import numpy as np
import pytest
import sklearn.metrics as peer
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.metrics import METRICS, loss, measure, metric_names, row_losses
from tasks.core.predictions import Predictions

CHANCE = np.random.default_rng(5)
Y = CHANCE.normal(size=200)
PREDICTED = Y + CHANCE.normal(size=200)
CLASSES = np.asarray(["a", "b", "c"], dtype=object)
LABELS = CLASSES[CHANCE.integers(0, 3, 200)]
PROBABILITIES = CHANCE.dirichlet([1, 1, 1], 200)
GUESSES = CLASSES[PROBABILITIES.argmax(axis=1)]
CLASSIFIED = Predictions(GUESSES, PROBABILITIES, ("a", "b", "c"))
ONE_HOT = (LABELS[:, None] == CLASSES).astype(float)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mae", peer.mean_absolute_error(Y, PREDICTED)),
        ("rmse", peer.root_mean_squared_error(Y, PREDICTED)),
        ("r2", peer.r2_score(Y, PREDICTED)),
    ],
)
def test_a_regression_metric_is_what_scikit_learn_computes(name, expected):
    found = measure("regression", Y, Predictions(PREDICTED))
    assert found[name] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("log_loss", peer.log_loss(LABELS, PROBABILITIES)),
        ("brier", np.square(PROBABILITIES - ONE_HOT).sum(axis=1).mean()),
        ("zero_one_loss", peer.zero_one_loss(LABELS, GUESSES)),
        ("accuracy", peer.accuracy_score(LABELS, GUESSES)),
        ("balanced_accuracy", peer.balanced_accuracy_score(LABELS, GUESSES)),
    ],
)
def test_a_classification_metric_is_what_scikit_learn_computes(name, expected):
    found = measure("classification", LABELS, CLASSIFIED)
    assert found[name] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.row_loss])
def test_a_metric_is_made_of_the_mean_row_loss_and_smaller_where_that_is(name):
    problem = METRICS[name].problem
    y, predictions = LABELS, CLASSIFIED
    if problem == "regression":
        y, predictions = Y, Predictions(PREDICTED)

    losses = row_losses(name, y, predictions)
    assert losses.shape == (200,)
    assert (losses >= 0).all()
    assert loss(name, losses) == measure(problem, y, predictions)[name]
    assert loss(name, losses / 2) < loss(name, losses)


def test_without_probabilities_only_what_needs_none_is_measured():
    labels_only = Predictions(GUESSES)
    found = list(measure("classification", LABELS, labels_only))
    assert found == ["zero_one_loss", "accuracy", "balanced_accuracy"]
    assert list(measure("classification", LABELS, CLASSIFIED)) == metric_names("classification")
    with pytest.raises(ValueError, match="needs probabilities"):
        row_losses("log_loss", LABELS, labels_only)


def test_a_class_the_model_never_saw_costs_much_and_not_infinitely_much():
    y = np.array(["new"], dtype=object)
    predictions = Predictions(np.array(["a"]), np.array([[1.0]]), ("a",))
    assert row_losses("log_loss", y, predictions) == pytest.approx([36.04], abs=0.01)
    assert row_losses("brier", y, predictions).tolist() == [2.0]


def test_r2_of_a_constant_target_is_not_a_number():
    assert np.isnan(measure("regression", np.ones(3), Predictions(np.ones(3)))["r2"])


def test_a_metric_without_row_losses_says_so():
    with pytest.raises(ValueError, match="r2 has no loss for each row"):
        row_losses("r2", Y, Predictions(PREDICTED))


@given(st.lists(st.booleans(), min_size=200, max_size=200))
def test_measuring_some_rows_is_measuring_the_predictions_of_those_rows(mask):
    kept = np.asarray(mask)
    found = row_losses("log_loss", LABELS[kept], CLASSIFIED.where(kept))
    np.testing.assert_array_equal(found, row_losses("log_loss", LABELS, CLASSIFIED)[kept])
