"""Text that nearly always is a number or a date is recognised, however it is written."""

import pyarrow as pa
import pytest

from tasks.core.tables.written_values import SAMPLE, look_at_text, sample_text

WRITTEN = {
    "money amounts": [
        ["$347.37", "$1,197.24", "$80"],
        ["1.234,56 €", "12,00 €", "-3 €"],
        ["EUR 1'234.50", "CHF 7"],
        ["(1,204.00)", "($12.50)", "$3.00"],
        ["US$5", "R$ 1.200,00"],
        ["1 234 kr", "99,90 kr"],
        ["₹1,23,456.00", "₹80"],
    ],
    "percentages": [["12%", "7.5 %"], ["12,5 %", "-3%"], ["80%", "100%", "n/a"]],
    "numbers with separators": [
        ["1,234", "12,345,678"],
        ["1.234,56", "7,5"],
        ["1 234", "1 000 000"],
        ["12,34,567", "1,000"],
        ["1'234.5", "999"],
        ["123.45-", "1,204.00"],
        ["0,5", "1"],
    ],
    "dates": [
        ["31.12.2024", "1.1.2025"],
        ["12/31/2024", "1/2/25"],
        ["31.12.2024 18:30", "01.01.2025 00:00:00"],
        ["12/31/2024 6:30 PM", "1/2/2025 11:05 AM"],
        ["2024/12/31", "2025/1/1"],
        ["2024-12-31", "?", *["2024-01-01"] * 9],
        ["31-Dec-2024", "1-Jan-25"],
        ["31. Dezember 2024", "1 mai 2025"],
        ["Dec 31, 2024", "January 1, 2025"],
        ["9999-12-31T00:00:00Z", "0001-01-01T00:00:00+00:00"],
    ],
    "numbers": [
        ["39", "?", "50", "38", *map(str, range(20))],
        [" 39", "50 ", *map(str, range(20))],
        [str(number / 7) for number in range(30)],
        ["-", "1.5", "\u22122", "+3", *map(str, range(36))],
    ],
    "numbers with a unit": [
        [f"{number} kg" for number in range(30)],
        [f"{number}MB" for number in range(30)],
        ["1.5k", "20M", "NULL", *[f"{number}k" for number in range(30)]],
    ],
}
CASES = [(what, values) for what, columns in WRITTEN.items() for values in columns]


def chunked(values, type_=None):
    return pa.chunked_array([pa.array(values, type_)])


@pytest.mark.parametrize(("what", "values"), CASES, ids=[repr(values[0]) for _, values in CASES])
@pytest.mark.parametrize("type_", [pa.string(), pa.large_string()], ids=str)
def test_numbers_and_dates_as_text_are_named_with_an_example(what, values, type_):
    found = look_at_text(chunked(values, type_))
    assert found.what == what
    assert found.example in values
    assert f"nearly all of its values are {what}, such as {found.example!r}" in found.found


@pytest.mark.parametrize(
    "values",
    [
        ["Oslo", "Bergen"],
        ["a1", "b2", "c3"],
        ["1st", "2nd", "3rd", "4th"],
        ["0", "1", "0"],
        ["S", "M", "12", "L"],
        ["10-20", "20-30", "30+"],
        ["192.168.0.1", "10.0.0.7"],
        ["4x4", "2x4"],
        ["k0", "k1"],
        ["?", "-", "NULL"],
        ["", " "],
        [None, None],
        ["2024-W05", "2024-W06"],
        ["555-123-4567", "555-987-6543"],
        ["3f9a", "77b0", "10aa", "9c01"],
        ["12 angry men", "7 samurai"],
        ["$HOME", "€uro"],
        ["May 2024 report", "December notes"],
    ],
)
def test_words_codes_and_nothing_are_neither_numbers_nor_dates(values):
    assert look_at_text(chunked(values, pa.string())) is None


@pytest.mark.parametrize(
    "column",
    [chunked([1, 2]), chunked([1.5]), chunked([True]), chunked([b"12%"]), chunked([], pa.string())],
)
def test_other_columns_and_empty_ones_are_no_text(column):
    assert look_at_text(column) is None


def test_nine_in_ten_are_nearly_all():
    amounts = ["$1"] * 9
    assert look_at_text(chunked([*amounts, "free"])).what == "money amounts"
    assert look_at_text(chunked([*amounts, "free", "gift"])) is None


def test_a_mark_of_missing_values_is_named_beside_the_example():
    found = look_at_text(chunked(["12%", "?", "13%", None]))
    assert found.found.endswith("are percentages, such as '12%' beside '?'")
    assert (
        found.advice == "write them as plain numbers, such as 1234.56, leave missing values empty"
    )


def test_a_dictionary_is_looked_at_as_its_values():
    encoded = pa.chunked_array([pa.array(["$1", "$2"]).dictionary_encode()])
    assert look_at_text(encoded).what == "money amounts"


def test_of_many_values_some_from_all_over_the_column_are_looked_at():
    column = pa.chunked_array([pa.array([f"{n}" for n in range(10 * SAMPLE)])])
    found = sample_text(column)
    assert (len(found), found[0], found[-1]) == (SAMPLE, "0", str(10 * SAMPLE - 1))
