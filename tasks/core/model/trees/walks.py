"""Trees of any size, walked from the root: many rows at once, over nodes of two words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.codes import Codes, round_down
from tasks.core.model.trees.nodes import Nodes, UnsupportedError

CHUNK_BYTES = (
    4 << 20
)  # of keys, for which each tree is read once: trees larger than the cache make it pay
MIN_CHUNK, MAX_CHUNK = 512, 65_536  # rows
WORD_BITS = 32
ALWAYS_LEFT = (1 << WORD_BITS) - 1  # no key is above it
Refuse = Callable[
    [int, list[NDArray[Any]]], None
]  # what is found: 1 if a value is missing, plus 2 if one is infinite
Bounds = Callable[[Nodes], tuple[NDArray[np.int64], NDArray[np.int64]]]
WriteKeys = Callable[[Sequence[NDArray[Any]], slice, NDArray[np.uint32]], None]


@dataclass(frozen=True)
class Walks:
    """All trees, node by node in the order of their depth.

    A node has two words of 32 bits: what a key is compared with, and a move: from the top the left
    child (the right one follows it) as its place in the tree, then, in the last `bits`, the
    feature, and whether to shift the key by one. A leaf is its own left child, where all keys go.
    """

    write_keys: WriteKeys
    features: int
    bounds: NDArray[np.uint32]
    moves: NDArray[np.uint32]
    leaves: NDArray[np.uint32]  # of each node that is a leaf: the row of its values
    roots: NDArray[np.intp]
    depths: NDArray[np.intp]
    answers: NDArray[np.intp]
    bits: int
    values: NDArray[np.float64]

    def add(self, columns: Sequence[NDArray[Any]], sums: NDArray[np.float64]) -> None:
        """Add the leaves of each row to its sums, of shape (rows, answers)."""
        from tasks.core.model.trees.loops import add_walks  # noqa: PLC0415 - imports numba

        chunk = min(max(CHUNK_BYTES // (4 * max(self.features, 1)), MIN_CHUNK), MAX_CHUNK)
        for start in range(0, len(sums), chunk):
            part = slice(start, min(start + chunk, len(sums)))
            keys = np.empty((part.stop - part.start, self.features), np.uint32)
            self.write_keys(columns, part, keys)
            total = np.ascontiguousarray(sums[part])
            trees = (
                self.bounds,
                self.moves,
                self.leaves,
                self.roots,
                self.depths,
                self.answers,
                self.bits,
            )
            add_walks(keys, *trees, self.values, total)
            sums[part] = total


def walk_floats(
    trees: Sequence[Nodes], answers: Sequence[int], features: int, refuse: Refuse
) -> Walks:
    """Prepare trees that compare float32 values; tree i adds to the answers from `answers[i]` on.

    The keys are integers in the order of the values: that is how one shift can put what is missing
    on either side.

    Raises:
        UnsupportedError: a tree or its number of features is too large.
    """

    def write_keys(columns: Sequence[NDArray[Any]], rows: slice, keys: NDArray[np.uint32]) -> None:
        from tasks.core.model.trees.loops import order_keys  # noqa: PLC0415 - imports numba

        found = 0
        for position, column in enumerate(columns):
            found |= order_keys(narrowed(column[rows]).view(np.uint32), keys, position)
        if found:
            refuse(found, [column[rows] for column in columns])

    def bounds(nodes: Nodes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        shifts = np.where(nodes.missing_left, 0, 1)
        bits = (round_down(nodes.threshold) + np.float32(0)).view(
            np.uint32
        )  # -0.0 becomes 0.0, which it equals
        return np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31)).astype(
            np.int64
        ) - shifts, shifts

    return _walks(trees, answers, features, bounds, write_keys)


def walk_codes(trees: Sequence[Nodes], answers: Sequence[int], codes: Codes) -> Walks:
    """Prepare trees that compare codes; tree i adds to the answers from `answers[i]` on.

    Raises:
        UnsupportedError: a tree is too large, or splits by categories.
    """
    if any((nodes.category_set >= 0).any() for nodes in trees):
        raise UnsupportedError(
            "the kernel does not know trees of more than 256 leaves that split by categories"
        )

    def write_keys(columns: Sequence[NDArray[Any]], rows: slice, keys: NDArray[np.uint32]) -> None:
        written = np.empty((codes.height, len(keys)), np.uint8)
        codes.write(columns, rows, written)
        keys[:] = written.T

    placed = [replace(nodes, feature=_places(codes)[nodes.feature]) for nodes in trees]
    bounds = {id(there): codes.bounds(nodes) for there, nodes in zip(placed, trees, strict=True)}
    return _walks(placed, answers, codes.height, lambda nodes: bounds[id(nodes)], write_keys)


def _places(codes: Codes) -> NDArray[np.int64]:
    """Map each feature to its place among the codes."""
    places = np.zeros(max(codes.places, default=0) + 1, np.int64)
    places[list(codes.places)] = [place.start for place in codes.places.values()]
    return places


def _walks(
    trees: Sequence[Nodes],
    answers: Sequence[int],
    features: int,
    bounds: Bounds,
    write_keys: WriteKeys,
) -> Walks:
    bits = (2 * max(features, 1) - 1).bit_length()
    for nodes in trees:
        if np.isnan(nodes.threshold[~nodes.is_leaf]).any():
            raise UnsupportedError("the kernel does not know thresholds that are not numbers")
        if len(nodes.is_leaf) > 1 << (WORD_BITS - bits):
            raise UnsupportedError(
                f"a tree of {len(nodes.is_leaf)} nodes over {features} features is too large"
            )
    levels = [_levels(nodes) for nodes in trees]
    orders = [np.concatenate(each) for each in levels]
    is_leaf = np.concatenate(
        [nodes.is_leaf[order] for nodes, order in zip(trees, orders, strict=True)]
    )
    words = [
        _words(nodes, order, *bounds(nodes), bits)
        for nodes, order in zip(trees, orders, strict=True)
    ]
    values = [
        nodes.leaf_values[order][nodes.is_leaf[order]]
        for nodes, order in zip(trees, orders, strict=True)
    ]
    compared, moves = (np.concatenate(each).astype(np.uint32) for each in zip(*words, strict=True))
    return Walks(
        write_keys,
        features,
        compared,
        moves,
        leaves=np.where(is_leaf, np.cumsum(is_leaf) - 1, 0).astype(np.uint32),
        roots=np.cumsum([0, *map(len, orders[:-1])], dtype=np.intp),
        depths=np.array([len(each) - 1 for each in levels], np.intp),
        answers=np.array(answers, np.intp),
        bits=bits,
        values=np.ascontiguousarray(np.concatenate(values)),
    )


def _levels(nodes: Nodes) -> list[NDArray[np.int64]]:
    """List the nodes of each depth, siblings together."""
    level = np.zeros(1, np.int64)
    levels = []
    while len(level):
        levels.append(level)
        inner = level[~nodes.is_leaf[level]]
        level = np.stack([nodes.left[inner], nodes.right[inner]], axis=1).ravel()
    return levels


def _words(
    nodes: Nodes,
    order: NDArray[np.int64],
    bounds: NDArray[np.int64],
    shifts: NDArray[np.int64],
    bits: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give what the keys are compared with, and the moves."""
    leaf, places = nodes.is_leaf[order], np.arange(len(order))
    place = np.zeros(
        len(nodes.is_leaf), np.int64
    )  # nodes that a pruned tree no longer reaches have none
    place[order] = places
    children = np.where(leaf, places, place[np.where(leaf, 0, nodes.left[order])])
    tests = np.where(leaf, 0, nodes.feature[order] * 2 + shifts[order])
    return np.where(leaf, ALWAYS_LEFT, bounds[order]), (children << bits) | tests


def narrowed(column: NDArray[Any]) -> NDArray[np.float32]:
    """Make a column float32, in one piece; what is too large becomes infinite.

    >>> narrowed(np.array([0.5, 1e300])).tolist()
    [0.5, inf]
    """
    with np.errstate(over="ignore"):
        return np.require(column, np.float32, ["C", "A"])
