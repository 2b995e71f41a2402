"""Trees of up to 256 leaves as programs over bytes: one instruction answers a node for up to 64
rows.

A relative of QuickScorer (Lucchese et al., "QuickScorer: a fast algorithm to rank documents with
additive ensembles of regression trees", SIGIR 2015) and RapidScorer (Ye et al., KDD 2018): as they
do, it looks at every node instead of walking from node to node, because what can be told in advance
the processor does for many rows at once. They keep a bit for each leaf; here the inner nodes,
children first, choose between the numbers of leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.codes import Codes
from tasks.core.model.trees.nodes import Nodes

MAX_LEAVES = 256  # the number of a leaf is a byte
# rows at once: long enough to hide the start of each loop, and the bytes of some 20 features fit L2
BLOCK = 4096


@dataclass(frozen=True)
class Programs:
    """The operations of all trees, one after another, and what their leaves are worth.

    `values` is of shape (trees, 256); the trees of answer k are those from `answer_starts[k]` on.
    """

    codes: Codes
    operations: NDArray[np.int32]
    starts: NDArray[np.intp]
    sets: NDArray[np.uint8]
    values: NDArray[np.float64]
    answer_starts: tuple[int, ...]
    slots: int

    def add(self, columns: Sequence[NDArray[np.generic]], sums: NDArray[np.float64]) -> None:
        """Add the leaves of each row to its sums, of shape (rows, answers) in Fortran order."""
        from tasks.core.model.trees.loops import ALIGN, add_programs  # noqa: PLC0415 - imports numba

        for start in range(0, len(sums), BLOCK):
            part = slice(start, min(start + BLOCK, len(sums)))
            wide = -(-(part.stop - part.start) // ALIGN) * ALIGN
            codes = np.zeros(
                (self.codes.height + 1, wide), np.uint8
            )  # the last row is for sets of categories
            stack = np.zeros((self.slots, wide), np.uint8)
            self.codes.write(columns, part, codes)
            for answer, (first, last) in enumerate(
                zip(self.answer_starts, self.answer_starts[1:], strict=False)
            ):
                add_programs(
                    codes,
                    stack,
                    self.operations,
                    self.starts,
                    self.sets,
                    self.values,
                    first,
                    last,
                    sums[part, answer],
                )


def write_programs(answers: Sequence[Sequence[Nodes]], codes: Codes) -> Programs:
    """Write the programs of the trees of each answer."""
    from tasks.core.model.trees.loops import TOGETHER  # noqa: PLC0415 - imports numba

    operations: list[tuple[int, ...]] = []
    starts, values, answer_starts, slots = [0], [], [0], TOGETHER
    for trees in answers:
        for nodes in trees:
            writer = _Writer(nodes, codes, operations)
            slots = max(slots, writer.write() + TOGETHER)
            starts.append(len(operations))
            values.append(writer.values)
        # What is added for want of a tree is -0.0, which changes no sum, not even one of -0.0.
        for _ in range(-len(trees) % TOGETHER):
            starts.append(len(operations))
            values.append(np.full(MAX_LEAVES, -0.0))
        answer_starts.append(len(values))
    return Programs(
        codes,
        np.array(operations, np.int32).reshape(-1, 7),
        np.array(starts, np.intp),
        codes.sets,
        np.array(values).reshape(-1, MAX_LEAVES),
        tuple(answer_starts),
        slots,
    )


class _Writer:
    """Writes the program of one tree; `values` is what its leaves are worth, by their number."""

    def __init__(self, nodes: Nodes, codes: Codes, operations: list[tuple[int, ...]]) -> None:
        self.values = np.zeros(MAX_LEAVES)
        self._nodes = nodes
        self._codes = codes
        self._operations = operations
        self._bounds, self._shifts = codes.bounds(nodes)
        self._left, self._right, self._leaf = (
            nodes.left.tolist(),
            nodes.right.tolist(),
            nodes.is_leaf.tolist(),
        )
        self._needed = self._slots_needed()
        self._leaves = 0

    def write(self) -> int:
        """Append the operations; give the number of slots that they need."""
        if self._leaf[0]:
            self.values[:] = self._nodes.leaf_values[0, 0]  # whatever byte is left in the slot
        else:
            self._write(0, 0)
        return max(self._needed[0], 1)

    def _slots_needed(self) -> list[int]:
        """Count the slots that each node needs: the side that needs more goes first, and then keeps
        one.
        """
        needed = [0] * len(self._leaf)
        for node in reversed(_from_the_root(self._left, self._right, self._leaf)):
            if not self._leaf[node]:
                left, right = needed[self._left[node]], needed[self._right[node]]
                needed[node] = max(left, right, 1) if left != right else left + 1
        return needed

    def _write(self, node: int, slot: int) -> None:
        from tasks.core.model.trees.loops import BOTH, BOTH_SWAPPED, KEEP_LEFT, KEEP_RIGHT, LEAVES  # noqa: PLC0415

        left, right = self._left[node], self._right[node]
        swapped = self._needed[right] > self._needed[left]
        for side, place in zip(
            (right, left) if swapped else (left, right), (slot, slot + 1), strict=True
        ):
            if not self._leaf[side]:
                self._write(side, slot if self._leaf[left] or self._leaf[right] else place)
        kind = {
            (True, True): LEAVES,
            (False, True): KEEP_LEFT,
            (True, False): KEEP_RIGHT,
            (False, False): BOTH_SWAPPED if swapped else BOTH,
        }[self._leaf[left], self._leaf[right]]
        self._test(node, kind, slot, self._number(left), self._number(right))

    def _test(self, node: int, kind: int, slot: int, left: int, right: int) -> None:
        from tasks.core.model.trees.loops import IN_SET  # noqa: PLC0415

        place = self._codes.places[int(self._nodes.feature[node])]
        row, bound, shift = place.start, int(self._bounds[node]), int(self._shifts[node])
        if self._nodes.category_set[node] >= 0:
            groups = place.stop - place.start
            self._operations.append(
                (IN_SET, int(self._nodes.category_set[node]), row, groups, 0, 0, 0)
            )
            row, bound, shift = self._codes.height, 0, 0  # 0 goes left, all else right
        self._operations.append((kind, slot, row, bound, shift, left, right))

    def _number(self, node: int) -> int:
        """Number a leaf in the order of writing; an inner node has no number."""
        if not self._leaf[node]:
            return 0
        self.values[self._leaves] = self._nodes.leaf_values[node, 0]
        self._leaves += 1
        return self._leaves - 1


def _from_the_root(left: list[int], right: list[int], leaf: list[bool]) -> list[int]:
    order = [0]
    for node in order:
        if not leaf[node]:
            order += [left[node], right[node]]
    return order
