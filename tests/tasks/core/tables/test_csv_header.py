"""A first line that is a row of the table is not taken for the names of its columns."""

import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.tables.csv_files import read_csv
from tasks.core.tables.csv_header import check_header

PEOPLE = "".join(
    f"{20 + n}, {'?' if n % 3 else 'Private'},{5 + n % 9}, {'<=50K' if n % 2 else '>50K'}\n"
    for n in range(20)
)
FLOWERS = "5.1,3.5,1.4,setosa\n4.9,3.0,1.4,setosa\n6.2,2.9,4.3,other\n5.5,2.4,3.8,other\n"
PLACES = "Oslo,north,yes\nBergen,west,no\nOslo,west,no\nOslo,north,yes\n"
VISITS = "2024-01-05,Oslo\n2024-01-06,Bergen\n2024-01-07,Oslo\n2024-01-08,Oslo\n"
SHIPS = "Aurora,3,31.5,12\nBorea,1,20.5,7\nCeres,2,33.0,9\nDione,3,8.25,11\n"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (PEOPLE, r"\('20', '5', ' Private' are values"),
        (FLOWERS, r"\('5.1', '3.5', '1.4' are values"),
        (PLACES, r"\('Oslo', 'north', 'yes' are values"),
        (VISITS, r"\('2024-01-05', 'Oslo' are values"),
        (SHIPS, r"\('3', '31.5', '12' are values"),
    ],
)
def test_a_row_in_place_of_a_header_is_refused_with_the_way_out(write, content, shown):
    file = write("in.csv", content)
    with pytest.raises(RequestError, match=shown) as refused:
        read_csv(file)
    assert str(refused.value).startswith(f"{file.path}: its first line looks like a row")
    assert "add a first line with the names" in str(refused.value)

    named = write(
        "named.csv", f"{','.join('abcd'[: content.split()[0].count(',') + 1])}\n{content}"
    )
    assert len(read_csv(named)) == content.count("\n") if content is not PEOPLE else True


YEARS = {"country": ["a", "b", "c"], "2019": [1.5, 2, 3], "2020": [1, 2, 4], "2021": [2, 2, 2]}
PIXELS = {str(number): [0, 255, 17] for number in range(12)}
QUANTILES = {"0.1": [0.0, 0.2, 0.9], "0.5": [0.1, 0.4, 1.0], "0.9": [0.2, 0.6, 1.1]}
CHOICES = {"red": ["red", None, "red"], "blue": [None, "blue", None], "both": ["x", "y", "z"]}


@pytest.mark.parametrize(
    "columns",
    [
        {"a": [1, 2, 3], "b": ["a", "b", "c"]},
        {"33": [1, 2, 33], "b": [1.5, 2.5, 3.5], "12": [12, 13, 14], "7": [7, 8, 9]},
        YEARS,
        {**YEARS, "country": ["country", "b", "c"]},
        {"2019": [2019, 2020, 2021], "name": ["x", "y", "z"]},
        PIXELS,
        QUANTILES,
        CHOICES,
        {"": [0, 1, 2], "0": [0.5, 1.5, -2], "1": [1.0, 0.5, 2.0], "2": [3.0, 1.0, 2.0]},
        {"city": ["Oslo", "city", "Bergen"], "name": ["a", "b", "c"]},
        {"NA": ["x", "y", "z"], "n": ["u", "v", "w"]},
        {"a": pa.nulls(3), "b": pa.nulls(3)},
    ],
)
def test_names_that_are_years_positions_choices_or_words_are_names(columns):
    assert check_header(pa.table(columns), "in.csv") is None


def test_two_rows_say_nothing_about_a_header():
    assert check_header(pa.table({"5": [1, 9], "3": [2, 4], "4": [3, 5]}), "in.csv") is None
