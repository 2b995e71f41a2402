"""Refusals: which rows a model refuses, and why."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.errors import AfterfitError
from tasks.core.model.categories import unknown_values
from tasks.core.tables.columns import Column
from tasks.core.tables.frames import to_numbers

INFINITE, TOO_LARGE, MISSING = "infinite_value", "too_large_value", "missing_value"
OTHER_TYPE, NO_ID = "value_of_another_type", "missing_id"
UNKNOWN, REFUSED, NO_ANSWER = "unknown_category", "refused_by_model", "no_finite_answer"
# The oddities of a value, and by which word scikit-learn speaks of them when it refuses one.
SPOKEN_OF = (
    (UNKNOWN, "unknown categories"),
    (INFINITE, "infinity"),
    (TOO_LARGE, "too large"),
    (MISSING, "nan"),
)
FLOAT32_MAX = float(np.finfo(np.float32).max)
# how often a model is asked about ever smaller sets of rows: it finds some 500 bad ones in a piece
MOST_ASKED = 10_000
SAMPLE = 50  # rows by chance, of which a model that can score anything takes one
COLUMNS_SHOWN = 3


@dataclass(frozen=True)
class Rejection:
    """Why one row is not scored: a reason code, and a detail for a person."""

    reason: str
    detail: str


Rejections = dict[int, Rejection]
Refusal = Callable[
    [NDArray[np.int64]], str | None
]  # what the model says against some rows; nothing if it takes them


def find_refused(
    table: pa.Table,
    features: Sequence[Column],
    refusal: Refusal,
    categories: Mapping[str, pa.Array],
) -> Rejections:
    """Find the rows of a table that a model refuses, asking it as seldom as possible.

    Rows that are infinite, too large for float32, missing or in no known category in the same
    columns are alike: where the model says that this is why it refuses one of them, it refuses all.
    Other refused rows are found one by one, by halving.

    Args:
        table: the rows.
        features: the columns that a model takes.
        refusal: asks it.
        categories: those beside which it takes no other, by column.

    Raises:
        AfterfitError: the model refuses so many rows one by one that something else must be wrong.
    """
    asked = _Limited(refusal)
    patterns, firsts, numbers = _patterns(table, features, categories)
    found: Rejections = {}
    for row, why in _halved(firsts[patterns.any(axis=1)], asked):
        if rejection := _explained(patterns[numbers[row]], features, why):
            found |= dict.fromkeys(np.flatnonzero(numbers == numbers[row]).tolist(), rejection)
    others = np.setdiff1d(
        np.arange(len(table)), np.fromiter(found, dtype=np.int64, count=len(found))
    )
    by_chance = np.random.default_rng(0).permutation(others)[:SAMPLE, np.newaxis]
    if 2 * len(others) > MOST_ASKED and all(asked(row) for row in by_chance):
        raise asked.too_often()
    return found | {row: Rejection(REFUSED, why) for row, why in _halved(others, asked)}


class _Limited:
    """Asks a model, but not for ever."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal, self.left, self.last = refusal, MOST_ASKED, ""

    def __call__(self, rows: NDArray[np.int64]) -> str | None:
        self.left -= 1
        why = self.refusal(rows)
        self.last = why or self.last
        if self.left < 0:
            raise self.too_often()
        return why

    def too_often(self) -> AfterfitError:
        """Say that it refuses too many rows, and what it said last."""
        return AfterfitError(f"very many rows are refused, none like another: {self.last}")


def _halved(rows: NDArray[np.int64], asked: _Limited) -> Iterator[tuple[int, str]]:
    """Give each refused row with what the model says against it."""
    if len(rows) and (why := asked(rows)):
        if len(rows) == 1:
            yield int(rows[0]), why
        else:
            yield from _halved(rows[: len(rows) // 2], asked)
            yield from _halved(rows[len(rows) // 2 :], asked)


def _patterns(
    table: pa.Table, features: Sequence[Column], categories: Mapping[str, pa.Array]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Give the distinct patterns of oddities, shape (patterns, 4 * features), their first rows, and
    those of rows.
    """
    odd = np.zeros((len(table), len(features), len(SPOKEN_OF)), dtype=bool)
    for position, column in enumerate(features):
        odd[:, position, 3] = pc.is_null(table[column.name], nan_is_null=True).to_numpy()
        if column.kind == "numeric":
            sizes = np.abs(to_numbers(table[column.name]))
            odd[:, position, 1] = np.isinf(sizes)
            odd[:, position, 2] = np.isfinite(sizes) & (sizes > FLOAT32_MAX)
        elif column.name in categories:
            odd[:, position, 0] = unknown_values(
                table[column.name], categories[column.name]
            ).to_numpy()
    flat = odd.reshape(len(table), -1)
    packed, firsts, numbers = np.unique(
        np.packbits(flat, axis=1), axis=0, return_index=True, return_inverse=True
    )
    patterns = np.unpackbits(packed, axis=1, count=flat.shape[1]).astype(bool)
    return patterns, firsts, numbers.reshape(-1)


def _explained(
    pattern: NDArray[np.bool_], features: Sequence[Column], why: str
) -> Rejection | None:
    """Name the oddity of a pattern that a model speaks of, and the columns that have it; nothing if
    it is another.

    >>> _explained(np.array([False, False, False, True]), [Column("size", "numeric")], "Input X contains NaN.")
    Rejection(reason='missing_value', detail="column 'size'")
    """
    for offset, (reason, word) in enumerate(SPOKEN_OF):
        names = [
            column.name
            for column, odd in zip(features, pattern[offset :: len(SPOKEN_OF)], strict=True)
            if odd
        ]
        if names and re.search(rf"\b{word}\b", why.casefold()):
            more = f" and {len(names) - COLUMNS_SHOWN} more" if len(names) > COLUMNS_SHOWN else ""
            return Rejection(reason, "column " + ", ".join(map(repr, names[:COLUMNS_SHOWN])) + more)
    return None
