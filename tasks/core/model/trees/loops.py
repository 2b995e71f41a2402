"""The loops over rows and trees, compiled by numba; importing this file imports numba, so only a
kernel does.

Every function says its types, so that it is compiled once and found again by the next process. None
knows the GIL, none reorders a sum: `fastmath` would change the last bit.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types, uint8, uint32

KEEP_LEFT, KEEP_RIGHT, LEAVES, BOTH, BOTH_SWAPPED, IN_SET = range(6)
TOGETHER = 4  # trees whose leaves are added in one pass over the sums
ALIGN = 64  # bytes in the widest vector
BLOCK = 256  # rows that walk down a tree together: their keys stay in the nearest cache
FIRST_LEVELS, NEXT_LEVELS = 12, 4  # that rows go down before those at a leaf are left out


def _array(item: Any, axes: int = 1) -> Any:
    return types.Array(item, axes, "C", readonly=True)


def compiled(signatures: Any = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function, without the GIL and kept on disk; typed here, since numba's decorators
    are not.
    """
    decorate: Callable[[Callable[..., Any]], Callable[..., Any]] = njit(
        signatures, nogil=True, cache=True
    )
    return decorate


@compiled(
    [
        (_array(types.float32), _array(types.float32), types.intp, types.uint8[::1]),
        (_array(types.float64), _array(types.float64), types.intp, types.uint8[::1]),
    ]
)
def code_ranks(column: Any, thresholds: Any, steps: int, codes: Any) -> None:
    """Code each value as 1 + the number of thresholds below it, a missing one as 0.

    A binary search with its steps outside and the rows inside, and without a branch, which would be
    guessed wrongly half of the time; `thresholds` is filled up with infinity to 2**steps.
    """
    ranks = np.zeros(column.size, np.uint32)
    for bit in range(steps - 1, -1, -1):
        step = uint32(1) << uint32(bit)
        for i in range(column.size):
            rank = ranks[i]
            ranks[i] = rank + (
                uint32(thresholds[rank + step - uint32(1)] < column[i]) << uint32(bit)
            )
    for i in range(column.size):
        codes[i] = uint8(0) if column[i] != column[i] else uint8(ranks[i] + 1)


# The five ways to choose between what is left and right of a node. Values are read before the
# choice: a read that
# depends on it would not become a vector instruction.
@compiled()
def _leaves(code: Any, bound: int, shift: int, left: int, right: int, leaf: Any) -> None:
    for i in range(leaf.size):
        leaf[i] = left if uint8(code[i] - shift) <= bound else right


@compiled()
def _keep_left(code: Any, bound: int, shift: int, right: int, leaf: Any) -> None:
    for i in range(leaf.size):
        kept = leaf[i]
        leaf[i] = kept if uint8(code[i] - shift) <= bound else right


@compiled()
def _keep_right(code: Any, bound: int, shift: int, left: int, leaf: Any) -> None:
    for i in range(leaf.size):
        kept = leaf[i]
        leaf[i] = left if uint8(code[i] - shift) <= bound else kept


@compiled()
def _both(code: Any, bound: int, shift: int, right: Any, leaf: Any) -> None:
    for i in range(leaf.size):
        kept, other = leaf[i], right[i]
        leaf[i] = kept if uint8(code[i] - shift) <= bound else other


@compiled()
def _both_swapped(code: Any, bound: int, shift: int, left: Any, leaf: Any) -> None:
    for i in range(leaf.size):
        kept, other = leaf[i], left[i]
        leaf[i] = other if uint8(code[i] - shift) <= bound else kept


@compiled()
def _in_set(members: Any, goes_right: Any, test: Any) -> None:
    test[:] = 0
    for group in range(members.shape[0]):
        row, wanted = members[group], goes_right[group]
        if wanted:
            for i in range(test.size):
                test[i] |= row[i] & wanted


@compiled((types.uint8[::1], types.uint8[:, ::1]))
def write_members(codes: Any, members: Any) -> None:
    """Write codes as one bit among rows of eight: bit c % 8 of row c // 8 is set where the code is
    c.
    """
    for group in range(members.shape[0]):
        row, wanted = members[group], uint8(group)
        for i in range(codes.size):
            bit = uint8(1) << (codes[i] & uint8(7))
            row[i] = bit if codes[i] >> uint8(3) == wanted else uint8(0)


@compiled(
    (
        types.uint8[:, ::1],
        types.uint8[:, ::1],
        _array(types.int32, 2),
        types.intp,
        types.intp,
        _array(types.uint8, 2),
    )
)
def _run(codes: Any, stack: Any, operations: Any, first: int, last: int, sets: Any) -> None:
    for number in range(first, last):
        kind, slot, row = operations[number, 0], operations[number, 1], operations[number, 2]
        bound, shift = uint8(operations[number, 3]), uint8(operations[number, 4])
        left, right = uint8(operations[number, 5]), uint8(operations[number, 6])
        if kind == IN_SET:
            _in_set(codes[row : row + operations[number, 3]], sets[slot], codes[codes.shape[0] - 1])
        elif kind == LEAVES:
            _leaves(codes[row], bound, shift, left, right, stack[slot])
        elif kind == KEEP_LEFT:
            _keep_left(codes[row], bound, shift, right, stack[slot])
        elif kind == KEEP_RIGHT:
            _keep_right(codes[row], bound, shift, left, stack[slot])
        elif kind == BOTH:
            _both(codes[row], bound, shift, stack[slot + 1], stack[slot])
        else:
            _both_swapped(codes[row], bound, shift, stack[slot + 1], stack[slot])


@compiled(
    (
        types.uint8[:, ::1],
        types.uint8[:, ::1],
        _array(types.int32, 2),
        _array(types.intp),
        _array(types.uint8, 2),
        _array(types.float64, 2),
        types.intp,
        types.intp,
        types.float64[::1],
    )
)
def add_programs(
    codes: Any,
    stack: Any,
    operations: Any,
    starts: Any,
    sets: Any,
    values: Any,
    first: int,
    last: int,
    sums: Any,
) -> None:
    """Run the programs of trees `first` to `last` (a multiple of four) on coded rows, and add their
    leaves in order.
    """
    for tree in range(first, last, TOGETHER):
        for number in range(TOGETHER):
            _run(
                codes,
                stack[number:],
                operations,
                starts[tree + number],
                starts[tree + number + 1],
                sets,
            )
        a, b, c, d = stack[0], stack[1], stack[2], stack[3]
        of_a, of_b, of_c, of_d = values[tree], values[tree + 1], values[tree + 2], values[tree + 3]
        for i in range(sums.size):
            sums[i] = sums[i] + of_a[a[i]] + of_b[b[i]] + of_c[c[i]] + of_d[d[i]]


@compiled((_array(types.uint32), types.uint32[:, ::1], types.intp))
def order_keys(bits: Any, keys: Any, position: int) -> int:
    """Write float32 values as integers of the same order, missing ones as 0.

    Returns:
        1 if one is missing, plus 2 if one is infinite.
    """
    missing, infinite = False, False
    for i in range(bits.size):
        value = bits[i]
        size = value & uint32(0x7FFFFFFF)
        key = uint32(~value) if value >> uint32(31) else value | uint32(0x80000000)
        keys[i, position] = uint32(0) if size > uint32(0x7F800000) else key
        missing |= size > uint32(0x7F800000)
        infinite |= size == uint32(0x7F800000)
    return int(missing) + 2 * int(infinite)


@compiled(
    (
        _array(types.uint32, 2),
        _array(types.uint32),
        _array(types.uint32),
        _array(types.uint32),
        _array(types.intp),
        _array(types.intp),
        _array(types.intp),
        types.uint32,
        _array(types.float64, 2),
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
    answers: Any,
    bits: int,
    values: Any,
    sums: Any,
) -> None:
    """Walk the rows down each tree, and add the values of their leaves to the answers of the tree.

    All rows of a block go down one level, and the next: the reads of many rows are under way at
    once, and no branch is guessed wrongly. Rows that are at a leaf stay there; past the first
    levels, they are left out now and then.
    """
    features, flat = uint32(keys.shape[1]), keys.reshape(keys.size)
    low = (uint32(1) << bits) - uint32(1)
    at, walking = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32)
    for tree in range(roots.size):
        its_bounds, its_moves, its_leaves = (
            bounds[roots[tree] :],
            moves[roots[tree] :],
            leaves[roots[tree] :],
        )
        for start in range(0, keys.shape[0], BLOCK):
            rows = min(BLOCK, keys.shape[0] - start)
            its_keys = flat[start * keys.shape[1] :]
            for i in range(rows):
                at[i] = 0
                walking[i] = i
            left, levels = rows, min(depths[tree], FIRST_LEVELS)
            while left:
                for _ in range(levels):
                    for number in range(left):
                        row = walking[number]
                        node = at[row]
                        move = its_moves[node]
                        key = its_keys[row * features + ((move & low) >> uint32(1))]
                        goes_right = uint32(key - (move & uint32(1))) > its_bounds[node]
                        at[row] = (move >> bits) + uint32(goes_right)
                kept = 0
                for number in range(left):
                    row = walking[number]
                    walking[kept] = row
                    kept += int(its_moves[at[row]] >> bits != at[row])
                left, levels = kept, NEXT_LEVELS
            for i in range(rows):
                leaf = its_leaves[at[i]]
                for answer in range(values.shape[1]):
                    sums[start + i, answers[tree] + answer] += values[leaf, answer]
