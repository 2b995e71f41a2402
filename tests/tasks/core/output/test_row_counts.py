import pytest

from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import Part
from tasks.core.output.row_counts import check_parts, check_quarantine

SLICES = ((0, 0, 3),)


@pytest.mark.parametrize(
    ("rows", "budget", "words"),
    [
        (1000, 0, r"^2 rows of the 4 looked at so far cannot be scored, 0 may be: .* row 9\. Mend"),
        (1000, 0, r" The first are row 7; row 9\. Mend"),
        (4, 0, "^2 rows cannot be scored, 0 may be"),
        (1000, 1, "2 rows .*cannot be scored, 1 may be"),
        (1000, 0.001, "2 rows .*cannot be scored, 1 may be"),
        (1000, 0.002, None),
        (1000, 2, None),
    ],
)
def test_no_more_rows_may_go_to_quarantine_than_the_budget_allows(rows, budget, words):
    parts = [
        Part("a", 1, 0, None, SLICES, quarantined=1, examples=("row 7",)),
        Part("b", 1, 0, None, SLICES, quarantined=1, examples=("row 9",)),
    ]
    if words is None:
        assert check_quarantine(parts, budget, rows) is None
        return
    with pytest.raises(AfterfitError, match=words):
        check_quarantine(parts, budget, rows)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (5, None),
        (6, "6 rows went in, 4 came out and 1 are in quarantine"),
        (4, "4 rows went in, 4 came out and 1"),
    ],
)
def test_parts_that_do_not_hold_every_row_are_not_committed(rows, words):
    parts = [Part("a", 3, 0, "x", SLICES), Part("b", 1, 0, "x", SLICES, quarantined=1)]
    if words is None:
        assert check_parts(parts, rows) is None
        return
    with pytest.raises(AfterfitError, match=words):
        check_parts(parts, rows)


def test_a_source_of_which_no_row_can_be_scored_is_not_committed():
    parts = [Part("a", 0, 0, None, SLICES, quarantined=3, examples=("row 0 of x",))]
    words = r"None of 3 rows can be scored: .*The first is row 0 of x"
    with pytest.raises(AfterfitError, match=words):
        check_parts(parts, 3)
