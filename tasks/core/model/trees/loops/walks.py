"""The loops that walk rows down trees of any size."""

from typing import Any

import numpy as np
from numba import types, uint32

from tasks.core.model.trees.loops.compiling import compiled, readonly

BLOCK = 256  # rows that walk down a tree together: their keys stay in the nearest cache
FIRST_LEVELS, NEXT_LEVELS = 12, 4  # that rows go down before those at a leaf are left out

# The bits of a float32: its sign, and those of infinity. A larger size than that is not a number.
SIGN, INFINITY = 0x80000000, 0x7F800000

WORDS = readonly(types.uint32)
PLACES = readonly(types.intp)


@compiled((WORDS, types.uint32[:, ::1], types.intp))
def order_keys(bits: Any, keys: Any, position: int) -> int:
    """Write float32 values as integers of the same order, missing ones as 0.

    Returns:
        1 if one is missing, plus 2 if one is infinite.
    """
    missing, infinite = False, False

    for i in range(bits.size):
        value = bits[i]
        size = value & uint32(SIGN - 1)
        is_negative = value >> uint32(31)
        is_missing = size > uint32(INFINITY)
        key = uint32(~value) if is_negative else value | uint32(SIGN)
        keys[i, position] = uint32(0) if is_missing else key
        missing |= is_missing
        infinite |= size == uint32(INFINITY)

    return int(missing) + 2 * int(infinite)


@compiled()
def go_down(
    keys: Any, features: int, bounds: Any, moves: Any, bits: int, at: Any, walking: Any, left: int
) -> None:
    """Move each walking row from its node to a child; a leaf is its own child."""
    low = (uint32(1) << bits) - uint32(1)

    for number in range(left):
        row = walking[number]
        node = at[row]
        move = moves[node]
        feature = (move & low) >> uint32(1)
        shift = move & uint32(1)
        key = uint32(keys[row * features + feature] - shift)
        goes_right = uint32(key > bounds[node])
        at[row] = (move >> bits) + goes_right


@compiled()
def leave_out_leaves(moves: Any, bits: int, at: Any, walking: Any, left: int) -> int:
    """Keep the rows that are not at a leaf, in front; return their number."""
    kept = 0

    for number in range(left):
        row = walking[number]
        walking[kept] = row
        node = at[row]
        left_child = moves[node] >> bits
        kept += int(left_child != node)

    return kept


@compiled()
def find_leaves(
    keys: Any, features: int, bounds: Any, moves: Any, bits: int, depth: int, at: Any, walking: Any
) -> None:
    """Walk a block of rows down one tree, until `at` holds the leaf of each.

    All rows go down one level, and the next: the reads of many rows are under way at once, and no
    branch is guessed wrongly. Rows that are at a leaf stay there; past the first levels, they are
    left out now and then.
    """
    for i in range(at.size):
        at[i] = 0
        walking[i] = i

    left = at.size
    levels = min(depth, FIRST_LEVELS)
    while left:
        for _ in range(levels):
            go_down(keys, features, bounds, moves, bits, at, walking, left)

        left = leave_out_leaves(moves, bits, at, walking, left)
        levels = NEXT_LEVELS


@compiled()
def add_leaves(leaves: Any, at: Any, values: Any, first_output: int, sums: Any) -> None:
    """Add the values of the leaf of each row to its sums."""
    for i in range(at.size):
        leaf = leaves[at[i]]
        for output in range(values.shape[1]):
            sums[i, first_output + output] += values[leaf, output]


@compiled(
    (
        readonly(types.uint32, 2),
        WORDS,
        WORDS,
        WORDS,
        PLACES,
        PLACES,
        PLACES,
        types.uint32,
        readonly(types.float64, 2),
        types.float64[:, ::1],
    )
)
def add_walks(
    keys: Any,
    bounds: Any,
    moves: Any,
    leaves: Any,
    roots: Any,
    depths: Any,
    first_outputs: Any,
    bits: int,
    values: Any,
    sums: Any,
) -> None:
    """Walk the rows down each tree, and add the values of their leaves to the tree's outputs."""
    rows, features = keys.shape
    flat_keys = keys.reshape(keys.size)
    at = np.empty(BLOCK, np.uint32)
    walking = np.empty(BLOCK, np.uint32)

    for tree in range(roots.size):
        root = roots[tree]
        for start in range(0, rows, BLOCK):
            size = min(BLOCK, rows - start)
            find_leaves(
                flat_keys[start * features :],
                uint32(features),
                bounds[root:],
                moves[root:],
                bits,
                depths[tree],
                at[:size],
                walking[:size],
            )
            add_leaves(leaves[root:], at[:size], values, first_outputs[tree], sums[start:])
