"""The loops that run the programs of trees on coded rows.

An operation is a row of seven numbers. Most choose between two children of a node: their kind, the
slot of the stack that the choice ends in, the row of codes to compare, its bound and shift, and the
numbers of the leaves on the left and on the right. One that looks up categories in a set has its
kind, the number of the set, the first row of codes and how many there are.
"""

from typing import Any

from numba import types, uint8

from tasks.core.model.trees.loops.compiling import compiled, inlined, readonly

KIND, SLOT, ROW, BOUND, SHIFT, LEFT, RIGHT = range(7)
SET, ROWS = SLOT, BOUND
KEEP_LEFT, KEEP_RIGHT, LEAVES, BOTH, BOTH_SWAPPED, IN_SET = range(6)
TOGETHER = 4  # trees whose leaves are added in one pass over the sums
ALIGN = 64  # bytes in the widest vector

BYTE_ROWS = types.uint8[:, ::1]
OPERATIONS = readonly(types.int32, 2)
SETS = readonly(types.uint8, 2)


# These are the five ways to choose between what is left and right of a node. Each reads its values
# before it chooses: a read that depends on the choice would not become a vector instruction.
@inlined()
def choose_leaf(code: Any, bound: int, shift: int, left: int, right: int, leaf: Any) -> None:
    """Choose between two leaves."""
    for i in range(leaf.size):
        key = uint8(code[i] - shift)
        leaf[i] = left if key <= bound else right


@inlined()
def keep_left(code: Any, bound: int, shift: int, right: int, leaf: Any) -> None:
    """Choose between what was chosen on the left, and a leaf on the right."""
    for i in range(leaf.size):
        kept = leaf[i]
        key = uint8(code[i] - shift)
        leaf[i] = kept if key <= bound else right


@inlined()
def keep_right(code: Any, bound: int, shift: int, left: int, leaf: Any) -> None:
    """Choose between a leaf on the left, and what was chosen on the right."""
    for i in range(leaf.size):
        kept = leaf[i]
        key = uint8(code[i] - shift)
        leaf[i] = left if key <= bound else kept


@inlined()
def choose_side(code: Any, bound: int, shift: int, right: Any, leaf: Any) -> None:
    """Choose between what was chosen on the left, in `leaf`, and on the right."""
    for i in range(leaf.size):
        kept = leaf[i]
        other = right[i]
        key = uint8(code[i] - shift)
        leaf[i] = kept if key <= bound else other


@inlined()
def choose_swapped_side(code: Any, bound: int, shift: int, left: Any, leaf: Any) -> None:
    """Choose between what was chosen on the left, and on the right, in `leaf`."""
    for i in range(leaf.size):
        kept = leaf[i]
        other = left[i]
        key = uint8(code[i] - shift)
        leaf[i] = other if key <= bound else kept


@inlined()
def choose(operation: Any, codes: Any, stack: Any) -> None:
    """Run an operation that chooses between the children of a node."""
    kind = operation[KIND]
    slot = operation[SLOT]
    code = codes[operation[ROW]]
    bound = uint8(operation[BOUND])
    shift = uint8(operation[SHIFT])
    left = uint8(operation[LEFT])
    right = uint8(operation[RIGHT])

    if kind == LEAVES:
        choose_leaf(code, bound, shift, left, right, stack[slot])
    elif kind == KEEP_LEFT:
        keep_left(code, bound, shift, right, stack[slot])
    elif kind == KEEP_RIGHT:
        keep_right(code, bound, shift, left, stack[slot])
    elif kind == BOTH:
        choose_side(code, bound, shift, stack[slot + 1], stack[slot])
    else:
        choose_swapped_side(code, bound, shift, stack[slot + 1], stack[slot])


@inlined()
def look_up(operation: Any, codes: Any, sets: Any) -> None:
    """Run an operation that looks up categories in a set.

    The last row of codes becomes 0 where a category goes left, and another number where it does
    not.
    """
    goes_right = sets[operation[SET]]
    found = codes[codes.shape[0] - 1]
    found[:] = 0

    for group in range(operation[ROWS]):
        members = codes[operation[ROW] + group]
        wanted = goes_right[group]
        if wanted:
            for i in range(found.size):
                found[i] |= members[i] & wanted


@compiled((BYTE_ROWS, BYTE_ROWS, OPERATIONS, types.intp, types.intp, SETS))
def run_program(codes: Any, stack: Any, operations: Any, first: int, last: int, sets: Any) -> None:
    """Run the operations of one tree; the numbers of the leaves end in the first slot."""
    for number in range(first, last):
        operation = operations[number]
        if operation[KIND] == IN_SET:
            look_up(operation, codes, sets)
        else:
            choose(operation, codes, stack)


@inlined()
def add_four(stack: Any, values: Any, sums: Any) -> None:
    """Add the leaves of four trees to the sums, one tree after the other."""
    a, of_a = stack[0], values[0]
    b, of_b = stack[1], values[1]
    c, of_c = stack[2], values[2]
    d, of_d = stack[3], values[3]

    for i in range(sums.size):
        total = sums[i] + of_a[a[i]]
        total += of_b[b[i]]
        total += of_c[c[i]]
        total += of_d[d[i]]
        sums[i] = total


@compiled(
    (
        BYTE_ROWS,
        BYTE_ROWS,
        OPERATIONS,
        readonly(types.intp),
        SETS,
        readonly(types.float64, 2),
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
    """Run the programs of trees `first` to `last` on coded rows, and add their leaves in order.

    The number of trees is a multiple of four. The program of a tree ends where the next starts.
    """
    for tree in range(first, last, TOGETHER):
        for number in range(TOGETHER):
            start = starts[tree + number]
            end = starts[tree + number + 1]
            run_program(codes, stack[number:], operations, start, end, sets)

        add_four(stack, values[tree:], sums)
