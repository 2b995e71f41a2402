"""The loops that turn the values of a column into codes of one byte."""

from typing import Any

import numpy as np
from numba import types, uint8, uint32

from tasks.core.model.trees.loops.compiling import compiled, readonly

CODES = types.uint8[::1]
FLOATS = readonly(types.float32)
DOUBLES = readonly(types.float64)


@compiled(
    (FLOATS, FLOATS, types.intp, CODES),
    (DOUBLES, DOUBLES, types.intp, CODES),
)
def code_ranks(column: Any, thresholds: Any, steps: int, codes: Any) -> None:
    """Code each value as 1 + the number of thresholds below it, a missing one as 0.

    This is a binary search with its steps outside and the rows inside. It has no branch, which
    would be guessed wrongly half of the time. `thresholds` is filled up with infinity to 2**steps.
    """
    ranks = np.zeros(column.size, np.uint32)

    for bit in range(steps - 1, -1, -1):
        step = uint32(1) << uint32(bit)
        for i in range(column.size):
            rank = ranks[i]
            threshold = thresholds[rank + step - uint32(1)]
            is_above = uint32(threshold < column[i])
            ranks[i] = rank + (is_above << uint32(bit))

    for i in range(column.size):
        value = column[i]
        is_missing = value != value  # noqa: PLR0124 - only NaN is not itself
        codes[i] = uint8(0) if is_missing else uint8(ranks[i] + 1)


@compiled((CODES, types.uint8[:, ::1]))
def write_members(codes: Any, members: Any) -> None:
    """Write each code as one bit among rows of eight: code c sets bit c % 8 of row c // 8."""
    for group in range(members.shape[0]):
        row = members[group]
        wanted = uint8(group)

        for i in range(codes.size):
            code = codes[i]
            bit = uint8(1) << (code & uint8(7))
            is_here = code >> uint8(3) == wanted
            row[i] = bit if is_here else uint8(0)
