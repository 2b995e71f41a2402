import numpy as np
import pytest

from tasks.core.errors import AfterfitError
from tasks.core.predictions import Predictions, are_finite, check_predictions, check_shape

NAN, INFINITY = np.nan, np.inf
LABELS = np.array(["a", "b", "a"], dtype=object)
EVEN = np.full((3, 2), 0.5)


@pytest.mark.parametrize(
    ("values", "probabilities", "words"),
    [
        (np.zeros(3), None, None),
        (LABELS, EVEN, None),
        (np.zeros((3, 2)), None, "2 predictions for each row: one is what can be scored"),
        (np.zeros(2), None, "the model gave 2 predictions for 3 rows"),
        (LABELS, EVEN[:2], "the model gave 2 predictions for 3 rows"),
    ],
)
def test_predictions_are_one_for_each_row_or_refused(values, probabilities, words):
    predictions = Predictions(values, probabilities, ("a", "b"))
    if words is None:
        assert check_shape(predictions, 3) is None
        return
    with pytest.raises(AfterfitError, match=words):
        check_shape(predictions, 3)


@pytest.mark.parametrize(
    ("values", "probabilities", "finite"),
    [
        ([1.0, NAN, -INFINITY], None, [True, False, False]),
        ([1, 2, 3], None, [True, True, True]),
        (LABELS, None, [True, True, True]),
        (LABELS, [[0.5, 0.5], [0.5, NAN], [1.0, 0.0]], [True, False, True]),
        ([NAN, 0.0, 1.0], [[0.5, 0.5], [0.5, 0.5], [INFINITY, 0.0]], [False, True, False]),
    ],
)
def test_a_row_is_finite_where_all_its_numbers_are(values, probabilities, finite):
    """Labels are no numbers, and as good as finite ones."""
    given = None if probabilities is None else np.asarray(probabilities)
    assert are_finite(Predictions(np.asarray(values), given, ("a", "b"))).tolist() == finite


def test_predictions_are_returned_if_all_are_finite_else_the_first_bad_row_is_named():
    good = Predictions(np.zeros(3))
    assert check_predictions(good, 3) is good

    bad = Predictions(np.array([0.0, NAN, INFINITY]))
    with pytest.raises(AfterfitError, match="no finite numbers, first in row 1"):
        check_predictions(bad, 3)


def test_selecting_rows_selects_their_values_and_probabilities():
    mask = np.array([True, False, True])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    found = Predictions(LABELS, probabilities, ("a", "b")).where(mask)

    assert found.values.tolist() == ["a", "a"]
    assert found.probabilities.tolist() == [[0.9, 0.1], [0.7, 0.3]]
    assert found.classes == ("a", "b")


def test_selecting_rows_of_labels_alone_gives_labels_alone():
    found = Predictions(LABELS).where(LABELS == "a")
    assert found.values.tolist() == ["a", "a"]
    assert found.probabilities is None
