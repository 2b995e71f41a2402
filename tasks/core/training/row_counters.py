"""Row counters: columns that count the rows, such as an index that was written with its table."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.tables.columns import kind_of
from tasks.core.tables.frames import to_numbers

# What is written for an index without a name, and what pandas reads it as.
UNNAMED = re.compile(r"\s*|Unnamed: \d+(_level_\d+)?(\.\d+)?")
# Names that counters are given: by R, Spark and Excel, and by hand.
COUNTER = re.compile(
    r"index|idx|level_0|_c0|column1|#|nr\.?|no\.?|row[ _.]?names?|s[lr]?[ _.]{0,2}no\.?|"
    r"(row|record|line|serial|sr|seq|sequence)[ _.]?(index|idx|id|no|nr|num|number|count)?\.?",
    re.IGNORECASE,
)

FEWEST = 2  # rows that can be counted
FEWEST_NAMED = 50  # rows in which other texts are no chance, as the gate on leaks has it
FIRST = 1000  # rows that tell most other columns from counters


def is_unnamed(name: str) -> bool:
    """Return whether a column has no name of its own.

    >>> is_unnamed(""), is_unnamed("Unnamed: 0"), is_unnamed("size")
    (True, True, False)
    """
    return UNNAMED.fullmatch(name) is not None


def is_counter(name: str, column: pa.ChunkedArray) -> bool:
    """Return whether a column counts rows by its name, or without one, and by its values."""
    has_its_name = is_unnamed(name) or COUNTER.fullmatch(name.strip()) is not None
    return has_its_name and is_index(column)


def is_row_counter(column: pa.ChunkedArray) -> bool:
    """Return whether a column rises by one from each row to the next.

    >>> is_row_counter(pa.chunked_array([[7, 8], [9]])), is_row_counter(pa.chunked_array([[1, 3]]))
    (True, False)
    """
    return _rises_by_one(column.slice(0, FIRST)) and _rises_by_one(column)


def names_rows(column: pa.ChunkedArray) -> bool:
    """Return whether a column is another text in every row, as an id is.

    >>> names_rows(pa.chunked_array([[f"user{number}@x.org" for number in range(60)]]))
    True
    """
    if kind_of(column.type) != "categorical" or pa.types.is_dictionary(column.type):
        return False

    is_complete = len(column) >= FEWEST_NAMED and not column.null_count
    return is_complete and bool(pc.count_distinct(column).as_py() == len(column))


def _rises_by_one(column: pa.ChunkedArray) -> bool:
    numbers = _whole_numbers(column)
    return numbers is not None and bool((np.diff(numbers) == 1).all())


def is_index(column: pa.ChunkedArray) -> bool:
    """Return whether a column numbers rows: from file to file anew, or in any order.

    >>> is_index(pa.chunked_array([[0, 1, 2, 0, 1]])), is_index(pa.chunked_array([[5, 9, 2]]))
    (True, True)
    """
    numbers = _whole_numbers(column)
    if numbers is None:
        return False
    if 2 * len(np.unique(numbers)) > len(numbers):
        return True

    goes_on = np.diff(numbers) == 1
    begins_again = numbers[1:] == numbers[0]
    return bool(goes_on.any() and (goes_on | begins_again).all())


def _whole_numbers(column: pa.ChunkedArray) -> NDArray[Any] | None:
    """Return the values of a column, shape (n,), or None where not all are whole numbers."""
    if kind_of(column.type) != "numeric" or len(column) < FEWEST or column.null_count:
        return None

    numbers = to_numbers(column)
    is_whole = np.isfinite(numbers) & (numbers == np.floor(numbers))
    return numbers if is_whole.all() else None
