from datetime import date

import pyarrow as pa
import pytest

from tasks.core.training.guesses import MOST_CLASSES, guess_problem, guess_roles

DAYS = [date(2024, 1, day) for day in range(1, 4)]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([0.5, 1.5], "regression"),
        ([1.0, 2.0], "regression"),
        (list(range(MOST_CLASSES)), "classification"),
        (list(range(MOST_CLASSES + 1)), "regression"),
        ([1, 2, None] * 9, "classification"),
        (["a", "b"], "classification"),
        (["$5", "$10"], "classification"),
        ([f"${number}.99" for number in range(MOST_CLASSES)], "classification"),
        ([f"${number}.99" for number in range(MOST_CLASSES + 1)], "regression"),
        ([f"word {number}" for number in range(MOST_CLASSES + 1)], "classification"),
        ([True, False], "classification"),
    ],
)
def test_strings_booleans_and_few_distinct_integers_are_classes(values, problem):
    assert guess_problem(pa.chunked_array([values])) == problem


@pytest.mark.parametrize(
    ("columns", "id_", "time", "drop"),
    [
        ({"k": [1, 2, 3], "x": [1, 1, 2]}, "k", None, ()),
        ({"k": [1, 1, 2], "x": [1, 2, 3]}, None, None, ()),
        ({"k": [0.1, 0.2, 0.3]}, None, None, ()),
        ({"k": DAYS, "x": [1, 2, 3]}, None, "k", ()),
        ({"k": ["a", "b", "c"], "at": DAYS}, "k", "at", ()),
        ({"k": ["a", "b", "c"], "at": [*DAYS[:2], None]}, "k", None, ()),
        ({"k": [b"a", b"b", b"c"], "l": [[1], [2], [3]]}, None, None, ("k", "l")),
        ({"k": pa.array(["a", "b", "c"]).dictionary_encode()}, None, None, ()),
        ({"": [0, 1, 2], "k": ["a", "b", "c"]}, "k", None, ("",)),
        ({"": [0, 1, 2], "x": [1, 1, 2]}, None, None, ("",)),
        (
            {"Unnamed: 0": [7, 3, 5], "index": [0, 1, 2], "row": [1, 2, 3]},
            "index",
            None,
            ("Unnamed: 0", "row"),
        ),
        ({"": ["a", "b", "c"]}, "", None, ()),
        ({"": [1, 1, 1], "rownum": ["a", "b", "c"]}, None, None, ()),
        ({}, None, None, ()),
    ],
)
def test_the_id_is_unique_the_time_has_no_gap_and_unusable_columns_are_dropped(
    columns, id_, time, drop
):
    roles = guess_roles(pa.table({**columns, "y": [1, 2, 3]}), "y")
    assert (roles.id, roles.time, roles.drop) == (id_, time, drop)


def test_one_row_alone_has_no_id():
    assert guess_roles(pa.table({"k": [1], "y": [1]}), "y").id is None
