"""The writer of a tree's program."""

from typing import NamedTuple

import numpy as np

from tasks.core.model.trees.codes import Codes
from tasks.core.model.trees.loops.programs import (
    BOTH,
    BOTH_SWAPPED,
    IN_SET,
    KEEP_LEFT,
    KEEP_RIGHT,
    LEAVES,
)
from tasks.core.model.trees.nodes import Nodes

MAX_LEAVES = 256  # the number of a leaf is a byte


class Operation(NamedTuple):
    """One operation, as `loops.programs` reads it."""

    kind: int
    slot: int
    row: int
    bound: int
    shift: int = 0
    left: int = 0
    right: int = 0


class TreeWriter:
    """Writes the program of one tree; `values` are those of its leaves, by their number."""

    def __init__(self, nodes: Nodes, codes: Codes, operations: list[Operation]) -> None:
        self.values = np.zeros(MAX_LEAVES)
        self._nodes = nodes
        self._codes = codes
        self._splits = codes.splits(nodes)
        self._operations = operations
        # Lists: to read one number is much quicker than from an array.
        self._left: list[int] = nodes.left.tolist()
        self._right: list[int] = nodes.right.tolist()
        self._is_leaf: list[bool] = nodes.is_leaf.tolist()
        self._slots = self._count_slots()
        self._leaves = 0

    def write(self) -> int:
        """Append the operations; return the number of slots that they need."""
        if self._is_leaf[0]:
            # There is no operation: whatever byte is in the slot, it stands for the one leaf.
            self.values[:] = self._nodes.leaf_values[0, 0]
        else:
            self._write(0, 0)
        return max(self._slots[0], 1)

    def _count_slots(self) -> list[int]:
        """Count the slots that each node needs.

        The side that needs more goes first, and then keeps one.
        """
        slots = [0] * len(self._is_leaf)

        for node in reversed(self._inner_nodes()):
            left = slots[self._left[node]]
            right = slots[self._right[node]]
            slots[node] = left + 1 if left == right else max(left, right)
        return slots

    def _inner_nodes(self) -> list[int]:
        """List the inner nodes from the root on, parents first."""
        found = [0]
        for node in found:
            if not self._is_leaf[node]:
                found += [self._left[node], self._right[node]]
        return [node for node in found if not self._is_leaf[node]]

    def _write(self, node: int, slot: int) -> None:
        """Write the operations of an inner node and all below it; the choice ends in the slot."""
        left = self._left[node]
        right = self._right[node]
        is_swapped = self._slots[right] > self._slots[left]
        first, second = (right, left) if is_swapped else (left, right)

        free = slot
        if not self._is_leaf[first]:
            self._write(first, free)
            free += 1
        if not self._is_leaf[second]:
            self._write(second, free)

        kind = self._kind(left, right, is_swapped=is_swapped)
        self._write_split(node, kind, slot)

    def _kind(self, left: int, right: int, *, is_swapped: bool) -> int:
        """Return the kind of the operation that chooses between two children."""
        if self._is_leaf[left]:
            return LEAVES if self._is_leaf[right] else KEEP_RIGHT
        if self._is_leaf[right]:
            return KEEP_LEFT
        return BOTH_SWAPPED if is_swapped else BOTH

    def _write_split(self, node: int, kind: int, slot: int) -> None:
        """Append the operation that chooses at a node, after that which looks up its category."""
        row = int(self._splits.keys[node])
        bound = int(self._splits.bounds[node])
        shift = int(self._splits.shifts[node])
        if self._nodes.category_set[node] >= 0:
            self._write_set(node)
            # What was found: 0 goes left, all else right.
            row = self._codes.height
            bound = shift = 0

        left = self._number(self._left[node])
        right = self._number(self._right[node])
        operation = Operation(kind, slot, row, bound, shift, left, right)
        self._operations.append(operation)

    def _write_set(self, node: int) -> None:
        """Append the operation that looks up categories in the set of a node."""
        number = int(self._nodes.category_set[node])
        feature = int(self._nodes.feature[node])
        place = self._codes.places[feature]
        rows = place.stop - place.start
        operation = Operation(IN_SET, slot=number, row=place.start, bound=rows)
        self._operations.append(operation)

    def _number(self, node: int) -> int:
        """Number a leaf in the order of writing; an inner node has no number."""
        if not self._is_leaf[node]:
            return 0

        number = self._leaves
        self._leaves += 1
        self.values[number] = self._nodes.leaf_values[node, 0]
        return number
