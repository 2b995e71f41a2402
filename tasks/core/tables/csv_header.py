"""Headers: a first line of a CSV file that looks like a row, not like names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from tasks.core.errors import RequestError
from tasks.core.tables.columns import ColumnKind, kind_of

MIN_ROWS = 3  # fewer say nothing about what is usual in a column
ENOUGH_NUMBERS = 3  # columns whose names are numbers such as those below
ENOUGH_VALUES = 2  # columns whose names are values of their own
LONG_SEQUENCE = 5  # so many numbers of a row are hardly in order
MISSING = frozenset(pa.csv.ConvertOptions().null_values)  # an index without a name, too
# What a name must look like to be a value of its column.
FORMS: dict[ColumnKind | None, re.Pattern[str]] = {
    "numeric": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"),
    "date": re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?"),
    "boolean": re.compile("true|false", re.IGNORECASE),
}


@dataclass(frozen=True)
class Evidence:
    """What speaks for a first line that is a row.

    `numbers` are the names that are numbers near those below, `dates` those that are dates over
    dates; `values` occur in their own columns, `words` do not.
    """

    numbers: tuple[str, ...]
    dates: tuple[str, ...]
    values: tuple[str, ...]
    words: tuple[str, ...]


def check_header(table: pa.Table, path: str) -> None:
    """Refuse a CSV file whose first line looks like a row of the table: that row would be lost.

    Wide tables, whose names are years or positions, are none of these.

    Raises:
        RequestError: with some of these names, and the way out.
    """
    evidence = _gather_evidence(table) if len(table) >= MIN_ROWS else None
    if evidence is None or not _is_row(evidence):
        return

    found = [*evidence.numbers, *evidence.dates, *evidence.values]
    shown = ", ".join(repr(name) for name in found[:3])
    raise RequestError(
        f"{path}: its first line looks like a row of the table, not like the names of the columns "
        f"({shown} are values such as those below): add a first line with the names, or rename the "
        "columns."
    )


def header_advice(name: str) -> str:
    """Return the end of a sentence about a name that may be a value of a row.

    >>> header_advice("0"), header_advice("size")
    ('; is the first line a row? add one with the names of the columns before it', '')
    """
    if not any(form.fullmatch(name.strip()) for form in FORMS.values()):
        return ""
    return "; is the first line a row? add one with the names of the columns before it"


def _gather_evidence(table: pa.Table) -> Evidence | None:
    """Return what speaks for a row, or None where a name cannot be a value of its column."""
    found: dict[str, list[str]] = {"numbers": [], "dates": [], "values": [], "words": []}
    for name in table.column_names:
        if name.strip() in MISSING:
            continue
        if not _could_be_value(name, kind_of(table[name].type)):
            return None
        found[_sort_of(name, table[name])].append(name)
    return Evidence(**{sort: tuple(names) for sort, names in found.items()})


def _could_be_value(name: str, kind: ColumnKind | None) -> bool:
    form = FORMS.get(kind)
    return form is None or form.fullmatch(name.strip()) is not None


def _sort_of(name: str, column: pa.ChunkedArray) -> str:
    """Return which evidence the name of a column is."""
    kind = kind_of(column.type)
    if kind == "numeric" and _is_near(float(name), column):
        return "numbers"
    if kind == "date":
        return "dates"
    if kind == "categorical" and _is_one_of_several(name, column):
        return "values"
    return "words"


def _is_near(number: float, column: pa.ChunkedArray) -> bool:
    """Return whether a number is not far from those of a column, as a year is over amounts."""
    span = pc.min_max(column)
    low, high = span["min"].as_py(), span["max"].as_py()
    if low is None:
        return False

    margin = high - low
    return bool(low - margin <= number <= high + margin)


def _is_one_of_several(name: str, column: pa.ChunkedArray) -> bool:
    """Return whether a name occurs in its column beside others: alone, it marks what applies."""
    occurs = pc.any(pc.equal(column, name), min_count=0).as_py()
    return bool(occurs) and pc.count_distinct(column).as_py() > 1


def _is_row(evidence: Evidence) -> bool:
    """Return whether the evidence is strong: many numbers at once, or several values."""
    numbers, values = len(evidence.numbers), len(evidence.values)
    dates, words = len(evidence.dates), len(evidence.words)
    if numbers >= ENOUGH_NUMBERS and not _is_sequence(evidence.numbers):
        return numbers + values + dates >= words

    # A few numbers in order may be years: they count once.
    strong = min(numbers, 1) + values + dates
    return values + dates > 0 and strong >= ENOUGH_VALUES and strong >= words


def _is_sequence(names: Sequence[str]) -> bool:
    """Return whether names are numbers in order, as years or positions are.

    >>> _is_sequence(["2019", "2020", "2021"]), _is_sequence(["39", "13", "40"])
    (True, False)
    """
    numbers = [float(name) for name in names]
    steps = {high - low for low, high in pairwise(numbers)}
    return min(steps) > 0 and (len(steps) == 1 or len(numbers) >= LONG_SEQUENCE)
