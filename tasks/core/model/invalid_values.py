"""Invalid values: what some models refuse in a table, and which rows are alike in it."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.model.categories import unknown_values
from tasks.core.tables.columns import Column
from tasks.core.tables.frames import to_numbers

INFINITE, TOO_LARGE, MISSING = "infinite_value", "too_large_value", "missing_value"
UNKNOWN = "unknown_category"
# Reason code -> the word in scikit-learn's error message that reveals it; the first found counts.
WORDS = {
    UNKNOWN: "unknown categories",
    INFINITE: "infinity",
    TOO_LARGE: "too large",
    MISSING: "nan",
}
REASONS = tuple(WORDS)
UNKNOWN_FLAG, INFINITE_FLAG, TOO_LARGE_FLAG, MISSING_FLAG = range(len(REASONS))  # as in WORDS
FLOAT32_MAX = float(np.finfo(np.float32).max)


def invalid_values(
    table: pa.Table, features: Sequence[Column], categories: Mapping[str, pa.Array]
) -> NDArray[np.bool_]:
    """Return which values are invalid for which reason, shape (rows, features, reasons)."""
    invalid = np.zeros((len(table), len(features), len(REASONS)), dtype=bool)

    for position, column in enumerate(features):
        values = table[column.name]
        is_null = pc.is_null(values, nan_is_null=True)
        flags = invalid[:, position]
        flags[:, MISSING_FLAG] = is_null.to_numpy()

        if column.kind == "numeric":
            sizes = np.abs(to_numbers(values))
            is_large = np.isfinite(sizes) & (sizes > FLOAT32_MAX)
            flags[:, INFINITE_FLAG] = np.isinf(sizes)
            flags[:, TOO_LARGE_FLAG] = is_large
        elif column.name in categories:
            is_unknown = unknown_values(values, categories[column.name])
            flags[:, UNKNOWN_FLAG] = is_unknown.to_numpy()
    return invalid


def distinct_patterns(
    invalid: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Find the rows that are alike.

    Args:
        invalid: a row of flags for each row, shape (n, flags).

    Returns:
        the distinct patterns, shape (patterns, flags); the first row of each; and the pattern of
        every row, shape (n,).
    """
    packed = np.packbits(invalid, axis=1)
    distinct, first_rows, pattern_of = np.unique(
        packed, axis=0, return_index=True, return_inverse=True
    )

    flags = invalid.shape[1]
    patterns = np.unpackbits(distinct, axis=1, count=flags)
    return patterns.astype(bool), first_rows, pattern_of.reshape(-1)


def reason_of_pattern(
    pattern: NDArray[np.bool_], features: Sequence[Column], message: str
) -> tuple[str, list[str]] | None:
    """Return the reason in a pattern that a model's error message speaks of, and its columns.

    Where the message speaks of something else, there is none.

    >>> pattern = np.array([False, False, False, True])
    >>> reason_of_pattern(pattern, [Column("size", "numeric")], "Input X contains NaN.")
    ('missing_value', ['size'])
    """
    said = message.casefold()
    by_feature = pattern.reshape(len(features), len(REASONS))

    for reason, is_invalid in zip(REASONS, by_feature.T, strict=True):
        marked = zip(features, is_invalid, strict=True)
        names = [column.name for column, invalid in marked if invalid]
        if names and re.search(rf"\b{WORDS[reason]}\b", said):
            return reason, names
    return None
