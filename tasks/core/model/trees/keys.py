"""The keys that rows are walked by: float32 values as integers of the same order, or codes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.codes import Codes
from tasks.core.model.trees.family import Columns
from tasks.core.model.trees.loops import order_keys
from tasks.core.model.trees.nodes import Nodes, UnsupportedError
from tasks.core.model.trees.splits import split_floats
from tasks.core.model.trees.walks import Keys, Walks, pack_walks

# Takes what was found, 1 for a missing value, plus 2 for an infinite one, and the columns with it.
Refuse = Callable[[int, list[NDArray[Any]]], None]


def walk_floats(
    trees: Sequence[Nodes], first_outputs: Sequence[int], features: int, refuse: Refuse
) -> Walks:
    """Prepare trees that compare float32 values.

    Args:
        trees: all of them.
        first_outputs: tree i adds to the outputs from `first_outputs[i]` on.
        features: how many columns there are.
        refuse: raises where these values are not allowed.

    Raises:
        UnsupportedError: a tree or its number of features is too large.
    """

    def write_keys(columns: Columns, rows: slice, keys: Keys) -> None:
        found = 0
        for position, column in enumerate(columns):
            bits = narrowed(column[rows]).view(np.uint32)
            found |= order_keys(bits, keys, position)

        if found:
            refuse(found, [column[rows] for column in columns])

    splits = [split_floats(nodes) for nodes in trees]
    return pack_walks(trees, splits, first_outputs, features, write_keys)


def walk_codes(trees: Sequence[Nodes], first_outputs: Sequence[int], codes: Codes) -> Walks:
    """Prepare trees that compare codes; tree i adds to the outputs from `first_outputs[i]` on.

    Raises:
        UnsupportedError: a tree is too large, or splits by categories.
    """
    if any((nodes.category_set >= 0).any() for nodes in trees):
        raise UnsupportedError(
            "the kernel does not know trees of more than 256 leaves that split by categories"
        )

    def write_keys(columns: Columns, rows: slice, keys: Keys) -> None:
        shape = codes.height, len(keys)
        written = np.empty(shape, np.uint8)
        codes.write(columns, rows, written)
        keys[:] = written.T

    splits = [codes.splits(nodes) for nodes in trees]
    return pack_walks(trees, splits, first_outputs, codes.height, write_keys)


def narrowed(column: NDArray[Any]) -> NDArray[np.float32]:
    """Return a column as float32, in one piece; what is too large becomes infinite.

    >>> narrowed(np.array([0.5, 1e300])).tolist()
    [0.5, inf]
    """
    with np.errstate(over="ignore"):
        return np.require(column, np.float32, ["C", "A"])
