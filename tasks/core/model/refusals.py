"""Refusals: which rows a model refuses, and why."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.errors import AfterfitError
from tasks.core.model.invalid_values import (
    distinct_patterns,
    invalid_values,
    reason_of_pattern,
)
from tasks.core.tables.columns import Column

# The reason codes beside those of invalid values.
OTHER_TYPE, NO_ID = "value_of_another_type", "missing_id"
REFUSED, NO_ANSWER = "refused_by_model", "no_finite_answer"
# How often a model is tried on ever smaller sets of rows: this finds some 500 bad ones in a piece.
MAX_TRIES = 10_000
SAMPLE = 50  # a random sample; a model that rejects all of it is taken to reject everything
COLUMNS_SHOWN = 3


@dataclass(frozen=True)
class Rejection:
    """Why one row is not scored: a reason code, and a detail for a person."""

    reason: str
    detail: str


Rejections = dict[int, Rejection]
# Tries a model on some rows, by their numbers: its error message, or None if it accepts them all.
TryRows = Callable[[NDArray[np.int64]], str | None]


def find_refused(
    table: pa.Table,
    features: Sequence[Column],
    try_rows: TryRows,
    categories: Mapping[str, pa.Array],
) -> Rejections:
    """Find the rows of a table that a model refuses, with as few tries as possible.

    Rows are alike if the same columns are infinite, too large for float32, missing, or in no known
    category. Where the model says that this is why it refuses one of them, it refuses all. Other
    refused rows are found one by one, by halving.

    Args:
        table: the rows.
        features: the columns that a model takes.
        try_rows: tries the model.
        categories: those of each column whose encoder raises on any other.

    Raises:
        AfterfitError: the model refuses so many rows one by one that something else must be wrong.
    """
    tries = LimitedTries(try_rows)
    found = _refused_by_pattern(table, features, tries, categories)

    taken = np.fromiter(found, dtype=np.int64, count=len(found))
    others = np.setdiff1d(np.arange(len(table)), taken)
    _check_accepts_some(others, tries)
    for row, message in refused_by_halves(others, tries):
        found[row] = Rejection(REFUSED, message)
    return found


class LimitedTries:
    """Tries a model on rows, a limited number of times."""

    def __init__(self, try_rows: TryRows, limit: int = MAX_TRIES) -> None:
        self.limit = limit
        self._try_rows = try_rows
        self._done = 0
        self._last_message = ""

    def __call__(self, rows: NDArray[np.int64]) -> str | None:
        """Return the model's error message for some rows, or `None` if it accepts them.

        Raises:
            AfterfitError: it has been tried too often.
        """
        message = self._try_rows(rows)
        self._last_message = message or self._last_message
        self._done += 1
        if self._done > self.limit:
            raise self.too_many()
        return message

    def too_many(self) -> AfterfitError:
        """Make the error that the model refuses too many rows, with what it said last."""
        return AfterfitError(f"very many rows are refused, none like another: {self._last_message}")


def refused_by_halves(rows: NDArray[np.int64], tries: LimitedTries) -> Iterator[tuple[int, str]]:
    """Yield each row that the model refuses, with its error message."""
    message = tries(rows) if len(rows) else None
    if not message:
        return

    if len(rows) == 1:
        yield int(rows[0]), message
        return
    half = len(rows) // 2
    yield from refused_by_halves(rows[:half], tries)
    yield from refused_by_halves(rows[half:], tries)


def _refused_by_pattern(
    table: pa.Table,
    features: Sequence[Column],
    tries: LimitedTries,
    categories: Mapping[str, pa.Array],
) -> Rejections:
    """Find the rows that are refused for invalid values; one row of each pattern is tried."""
    invalid = invalid_values(table, features, categories)
    patterns, first_rows, pattern_of = distinct_patterns(invalid.reshape(len(table), -1))

    found: Rejections = {}
    is_invalid = patterns.any(axis=1)
    for row, message in refused_by_halves(first_rows[is_invalid], tries):
        number = pattern_of[row]
        explained = reason_of_pattern(patterns[number], features, message)
        if explained:
            reason, names = explained
            rejection = Rejection(reason, _list_columns(names))
            alike = np.flatnonzero(pattern_of == number)
            found |= dict.fromkeys(alike.tolist(), rejection)
    return found


def _list_columns(names: Sequence[str]) -> str:
    """List the first few columns, and count the others.

    >>> _list_columns(["a", "b", "c", "d", "e"])
    "column 'a', 'b', 'c' and 2 more"
    """
    shown = ", ".join(repr(name) for name in names[:COLUMNS_SHOWN])
    more = len(names) - COLUMNS_SHOWN
    return f"column {shown} and {more} more" if more > 0 else f"column {shown}"


def _check_accepts_some(rows: NDArray[np.int64], tries: LimitedTries) -> None:
    """Refuse to go on with a model that refuses every row of a sample, if there are many rows."""
    if 2 * len(rows) <= tries.limit:
        return

    sample = np.random.default_rng(0).permutation(rows)[:SAMPLE]
    if all(tries(np.array([row])) for row in sample):
        raise tries.too_many()
