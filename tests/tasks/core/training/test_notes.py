"""What a person is told of the columns of a table that is trained on."""

import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.spec.sections import Data
from tasks.core.training.features import choose_features, leave_out_index
from tasks.core.training.notes import MOST_NOTES, describe_features
from tasks.core.training.table import split_rows

ROWS = 60
PLANTS = pa.table(
    {
        "": range(ROWS),
        "leaf": [number * 7 % 11 for number in range(ROWS)],
        "kind": ["elder", "hazel", "rowan"] * 20,
    }
)
PADDED = [" Private", " State", " Self"] * 20
RATES = [f"{number % 30}%" for number in range(ROWS)]


def data(**fields):
    return Data(**{"source": "/in", "target": "kind", **fields})


@pytest.mark.parametrize("name", ["", "  ", "Unnamed: 0"])
@pytest.mark.parametrize(
    "index", [range(ROWS), range(1, ROWS + 1), [*range(30), *range(30)], range(ROWS, 0, -1)]
)
def test_an_index_without_a_name_is_no_feature_and_that_is_said(tmp_path, name, index):
    table = PLANTS.set_column(0, name, pa.array(index))
    found = split_rows(table, data(), "classification", tmp_path)

    assert [column.name for column in found.features] == ["leaf"]
    assert found.notes == (
        f"column {name!r} counts the rows: it is no feature (`data.id` may name it)",
    )
    assert found.split.columns == ("kind", "leaf")


@pytest.mark.parametrize(
    ("fields", "features"),
    [
        ({"id": ""}, ["leaf"]),
        ({"drop": [""]}, ["leaf"]),
        ({"time": ""}, ["", "leaf"]),
        ({"segment": ""}, ["", "leaf"]),
    ],
)
def test_an_index_without_a_name_has_the_role_that_it_is_given(fields, features):
    table, index = leave_out_index(PLANTS, data(**fields))
    assert (table, index) == (PLANTS, ())
    assert [column.name for column in choose_features(table, data(**fields))] == features


def test_a_column_without_a_name_that_counts_nothing_is_a_feature():
    table = PLANTS.set_column(0, "", pa.array([3, 1, 2] * 20))
    assert leave_out_index(table, data()) == (table, ())
    assert [column.name for column in choose_features(table, data())] == ["", "leaf"]


WRITE_PLAINLY = "write them as plain numbers, such as 1234.56, if that is what they are"
COUNTS = "counts the rows, which may give the target away: add it to `data.drop`, or make it"
PERCENTAGES = "is text, and nearly all of its values are percentages, such as '0%': each is"
QUESTIONS = "holds '?' (20 of 60 values looked at), a category as any other: leave missing"


@pytest.mark.parametrize(
    ("name", "values", "note"),
    [
        ("visit", range(7, ROWS + 7), f"column 'visit' {COUNTS} the `data.id`"),
        ("rownum", [*range(30), *range(30)], f"column 'rownum' {COUNTS} the `data.id`"),
        ("rate", RATES, f"column 'rate' {PERCENTAGES} a category of its own; {WRITE_PLAINLY}"),
        ("work", ["?", "state", "self"] * 20, f"column 'work' {QUESTIONS} values empty"),
        (
            "work",
            PADDED,
            "values of column 'work' have blanks around them, which count: ' Self'",
        ),
    ],
)
def test_what_a_feature_may_be_in_truth_is_told(name, values, note):
    assert describe_features(pa.table({name: values}), [name]) == [note]


@pytest.mark.parametrize(
    "values", [[1.5, 2.5] * 30, ["a", "b"] * 30, [True, False] * 30, ["a", " b", "c"] * 20]
)
def test_an_ordinary_feature_has_no_note(values):
    assert describe_features(pa.table({"x": values}), ["x"]) == []


def test_of_very_many_notes_the_first_are_shown():
    table = pa.table({f"c{number}": RATES for number in range(MOST_NOTES + 2)})
    found = describe_features(table, table.column_names)
    assert len(found) == MOST_NOTES + 1
    assert found[-1] == "2 more notes of this kind"


def test_a_target_of_money_is_refused_before_anything_is_fitted(tmp_path):
    prices = [f"${1000 + number}.25" for number in range(ROWS)]
    table = PLANTS.append_column("price", pa.array(prices))
    words = "^The target 'price' is text, .* such as '\\$1000.25': write them as plain numbers"
    with pytest.raises(RequestError, match=words):
        split_rows(table, data(target="price"), "classification", tmp_path)
    assert list(tmp_path.iterdir()) == []
