"""Trees of up to 256 leaves as programs over bytes.

One instruction decides at a node for up to 64 rows. A relative of QuickScorer (Lucchese et al.,
"QuickScorer: a fast algorithm to rank documents with additive ensembles of regression trees", SIGIR
2015) and RapidScorer (Ye et al., KDD 2018): as they do, it looks at every node instead of walking
from node to node, because what can be told in advance the processor does for many rows at once.
They keep a bit for each leaf; here the inner nodes, children first, choose between the numbers of
leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.codes import Codes
from tasks.core.model.trees.family import Columns
from tasks.core.model.trees.loops import add_programs
from tasks.core.model.trees.loops.programs import ALIGN, TOGETHER
from tasks.core.model.trees.nodes import Nodes
from tasks.core.model.trees.slices import slices
from tasks.core.model.trees.writer import MAX_LEAVES, Operation, TreeWriter

# Rows at once: enough to hide the start of each loop, and the bytes of some 20 features fit L2.
BLOCK = 4096


@dataclass(frozen=True)
class Programs:
    """The operations of all trees, one after another, and the values of their leaves.

    Attributes:
        operations: see `loops.programs`, shape (operations, 7).
        starts: where the operations of each tree start, and the end of the last.
        values: those of the leaves, shape (trees, 256).
        output_starts: the trees of output k are those from `output_starts[k]` on.
        slots: how many rows of bytes the programs need as their stack.
    """

    codes: Codes
    operations: NDArray[np.int32]
    starts: NDArray[np.intp]
    sets: NDArray[np.uint8]
    values: NDArray[np.float64]
    output_starts: tuple[int, ...]
    slots: int

    def add(self, columns: Columns, sums: NDArray[np.float64]) -> None:
        """Add the leaves of each row to its sums, of shape (rows, outputs) in Fortran order."""
        for rows in slices(len(sums), BLOCK):
            width = _aligned(rows.stop - rows.start)
            height = self.codes.height + 1  # the last row is for sets of categories
            codes = np.zeros((height, width), np.uint8)
            self.codes.write(columns, rows, codes)
            self._add(codes, sums[rows])

    def _add(self, codes: NDArray[np.uint8], sums: NDArray[np.float64]) -> None:
        """Run the programs of all trees on coded rows."""
        width = codes.shape[1]
        stack = np.zeros((self.slots, width), np.uint8)

        for output, (first, last) in enumerate(pairwise(self.output_starts)):
            add_programs(
                codes,
                stack,
                self.operations,
                self.starts,
                self.sets,
                self.values,
                first,
                last,
                sums[:, output],
            )


def _aligned(rows: int) -> int:
    """Round up to whole vectors."""
    vectors = -(-rows // ALIGN)
    return vectors * ALIGN


def write_programs(outputs: Sequence[Sequence[Nodes]], codes: Codes) -> Programs:
    """Write the programs of the trees of each output."""
    operations: list[Operation] = []
    starts, values, output_starts = [0], [], [0]
    most_slots = 0

    for trees in outputs:
        for nodes in trees:
            writer = TreeWriter(nodes, codes, operations)
            most_slots = max(most_slots, writer.write())
            starts.append(len(operations))
            values.append(writer.values)

        # What is added for want of a tree is -0.0, which changes no sum, not even one of -0.0.
        for _ in range(-len(trees) % TOGETHER):
            starts.append(len(operations))
            values.append(np.full(MAX_LEAVES, -0.0))
        output_starts.append(len(values))

    return Programs(
        codes,
        np.array(operations, np.int32).reshape(-1, 7),
        np.array(starts, np.intp),
        codes.sets,
        np.array(values).reshape(-1, MAX_LEAVES),
        tuple(output_starts),
        slots=most_slots + TOGETHER,
    )
