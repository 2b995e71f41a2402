"""Columns that count the rows are told from columns that say something of a row."""

import pyarrow as pa
import pytest

from tasks.core.training.row_counters import is_counter, is_index, is_row_counter, is_unnamed

COUNTED = [
    (list(range(20)), None),
    (list(range(1, 21)), pa.uint64()),
    (list(range(100, 120)), pa.int8()),
    ([float(number) for number in range(20)], None),
    (list(range(20)), pa.decimal128(5, 0)),
]
RESTARTED = [*range(10), *range(10), *range(5)]
SHUFFLED = [7, 3, 19, 0, 4, 12]
NOT_COUNTED = [
    [0],
    [],
    [3, 2, 1],
    [0, 2, 4],
    [1, 1, 1, 1],
    [0, 1, None],
    [0.5, 1.5, 2.5],
    ["0", "1", "2"],
    [True, False],
    [1, 2, 3, 1, 1, 2, 2, 3],
]


def chunked(values, type_=None):
    half = len(values) // 2
    return pa.chunked_array([pa.array(values[:half], type_), pa.array(values[half:], type_)])


@pytest.mark.parametrize(("values", "type_"), COUNTED)
def test_what_rises_by_one_from_row_to_row_counts_rows(values, type_):
    assert is_row_counter(chunked(values, type_))
    assert is_index(chunked(values, type_))


@pytest.mark.parametrize("values", [RESTARTED, SHUFFLED])
def test_an_index_may_begin_again_or_stand_in_another_order(values):
    assert not is_row_counter(chunked(values))
    assert is_index(chunked(values))


@pytest.mark.parametrize("values", NOT_COUNTED)
def test_other_columns_count_no_rows(values):
    column = pa.chunked_array([pa.array(values)])
    assert not is_row_counter(column)
    if values not in ([3, 2, 1], [0, 2, 4]):
        assert not is_index(column)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("", True),
        (" ", True),
        ("Unnamed: 0", True),
        ("Unnamed: 0.1", True),
        ("Unnamed: 0_level_0", True),
        ("Unnamed", False),
        ("0", False),
        ("size", False),
    ],
)
def test_a_column_without_a_name_is_known_by_what_is_written_for_it(name, is_one):
    assert is_unnamed(name) is is_one


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *[
            (name, True)
            for name in ("", "index", "Index", "rownum", "row_id", "Column1", "row no.")
        ],
        *[
            (name, True)
            for name in ("record id", "_c0", "#", "Nr.", "serial_number", "rownames", "S. No.")
        ],
        *[(name, False) for name in ("hour", "year", "rows_sold", "x", "indexed", "lineage")],
    ],
)
def test_a_counter_is_known_by_its_name_and_its_values(name, is_one):
    assert is_counter(name, chunked(RESTARTED)) is is_one
    assert not is_counter(name, chunked(["a", "b", "c", "d"]))
