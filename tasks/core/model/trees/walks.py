"""Trees of any size, walked from the root: many rows at once, over nodes of two words."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.family import Columns
from tasks.core.model.trees.loops import add_walks
from tasks.core.model.trees.nodes import Nodes, UnsupportedError
from tasks.core.model.trees.slices import slices
from tasks.core.model.trees.splits import Splits

# Bytes of keys for which each tree is read once: trees larger than the cache make it pay.
CHUNK_BYTES = 4 << 20
MIN_CHUNK, MAX_CHUNK = 512, 65_536  # rows
WORD_BITS = 32
ALWAYS_LEFT = (1 << WORD_BITS) - 1  # no key is above it
Keys = NDArray[np.uint32]
WriteKeys = Callable[[Columns, slice, Keys], None]


@dataclass(frozen=True)
class Walks:
    """All trees, node by node in the order of their depth.

    A node has two words of 32 bits: a bound, which a key is compared with, and a move. From the top
    a move has the place of the left child in the tree (the right one follows it); then, in the last
    `bits`, the key, and whether to shift it by one. A leaf is its own left child, where all keys
    go.

    Attributes:
        write_keys: writes the keys of some rows of the columns, shape (rows, width).
        width: how many keys a row has.
        leaves: of each node that is a leaf, the row of its values.
        first_outputs: tree i adds to the outputs from `first_outputs[i]` on.
    """

    write_keys: WriteKeys
    width: int
    bounds: NDArray[np.uint32]
    moves: NDArray[np.uint32]
    leaves: NDArray[np.uint32]
    roots: NDArray[np.intp]
    depths: NDArray[np.intp]
    first_outputs: NDArray[np.intp]
    bits: int
    values: NDArray[np.float64]

    @property
    def chunk(self) -> int:
        """The number of rows that are walked at once."""
        rows = CHUNK_BYTES // (4 * max(self.width, 1))
        return min(max(rows, MIN_CHUNK), MAX_CHUNK)

    def add(self, columns: Columns, sums: NDArray[np.float64]) -> None:
        """Add the leaves of each row to its sums, shape (rows, outputs)."""
        for rows in slices(len(sums), self.chunk):
            total = np.ascontiguousarray(sums[rows])
            shape = len(total), self.width
            keys = np.empty(shape, np.uint32)
            self.write_keys(columns, rows, keys)
            self._add(keys, total)
            sums[rows] = total

    def _add(self, keys: Keys, total: NDArray[np.float64]) -> None:
        add_walks(
            keys,
            self.bounds,
            self.moves,
            self.leaves,
            self.roots,
            self.depths,
            self.first_outputs,
            self.bits,
            self.values,
            total,
        )


def pack_walks(
    trees: Sequence[Nodes],
    splits: Sequence[Splits],
    first_outputs: Sequence[int],
    width: int,
    write_keys: WriteKeys,
) -> Walks:
    """Pack trees into words.

    Args:
        trees: all of them.
        splits: those of each tree.
        first_outputs: tree i adds to the outputs from `first_outputs[i]` on.
        width: the number of keys of a row.
        write_keys: writes these keys.

    Raises:
        UnsupportedError: a tree is too large for the bits that its features leave.
    """
    bits = (2 * max(width, 1) - 1).bit_length()
    for nodes in trees:
        _check_fits(nodes, width, bits)

    packed = [_pack(nodes, each, bits) for nodes, each in zip(trees, splits, strict=True)]
    sizes = [len(tree.is_leaf) for tree in packed]
    bounds = np.concatenate([tree.bounds for tree in packed])
    moves = np.concatenate([tree.moves for tree in packed])
    is_leaf = np.concatenate([tree.is_leaf for tree in packed])
    leaf_rows = np.cumsum(is_leaf) - 1
    leaves = np.where(is_leaf, leaf_rows, 0)
    values = np.concatenate([tree.values for tree in packed])
    roots = [0, *itertools.accumulate(sizes[:-1])]
    depths = [tree.depth for tree in packed]

    return Walks(
        write_keys,
        width,
        bounds=bounds.astype(np.uint32),
        moves=moves.astype(np.uint32),
        leaves=leaves.astype(np.uint32),
        roots=np.array(roots, np.intp),
        depths=np.array(depths, np.intp),
        first_outputs=np.array(first_outputs, np.intp),
        bits=bits,
        values=np.ascontiguousarray(values),
    )


def _check_fits(nodes: Nodes, width: int, bits: int) -> None:
    """Refuse a tree whose thresholds are not numbers, or whose nodes have no room in a word."""
    if np.isnan(nodes.threshold[nodes.is_inner]).any():
        raise UnsupportedError("the kernel does not know thresholds that are not numbers")

    count = len(nodes.is_leaf)
    if count > 1 << (WORD_BITS - bits):
        raise UnsupportedError(f"a tree of {count} nodes over {width} features is too large")


@dataclass(frozen=True)
class _Packed:
    """One tree in the order of the depth of its nodes."""

    is_leaf: NDArray[np.bool_]
    bounds: NDArray[np.int64]
    moves: NDArray[np.int64]
    values: NDArray[np.float64]
    depth: int


def _pack(nodes: Nodes, splits: Splits, bits: int) -> _Packed:
    """Put the nodes of a tree in order, and make their words."""
    levels = _levels(nodes)
    order = np.concatenate(levels)
    is_leaf = nodes.is_leaf[order]

    places = np.arange(len(order))
    # Nodes that a pruned tree no longer reaches have no place.
    place_of = np.zeros(len(nodes.is_leaf), np.int64)
    place_of[order] = places

    left = np.where(is_leaf, 0, nodes.left[order])
    child = np.where(is_leaf, places, place_of[left])
    key_and_shift = splits.keys * 2 + splits.shifts
    last_bits = np.where(is_leaf, 0, key_and_shift[order])
    values = nodes.leaf_values[order]

    return _Packed(
        is_leaf,
        bounds=np.where(is_leaf, ALWAYS_LEFT, splits.bounds[order]),
        moves=(child << bits) | last_bits,
        values=values[is_leaf],
        depth=len(levels) - 1,
    )


def _levels(nodes: Nodes) -> list[NDArray[np.int64]]:
    """List the nodes of each depth, siblings together."""
    level = np.zeros(1, np.int64)
    levels = []

    while len(level):
        levels.append(level)
        inner = level[~nodes.is_leaf[level]]
        left = nodes.left[inner]
        right = nodes.right[inner]
        level = np.stack([left, right], axis=1).ravel()
    return levels
