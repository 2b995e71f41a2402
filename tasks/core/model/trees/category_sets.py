"""The sets of categories that trees split by: for each code, whether it goes right."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.codes import CODES
from tasks.core.model.trees.nodes import CATEGORY_WORDS, Nodes


class CategorySets:
    """Collects the sets of all trees of HistGradientBoosting, which numbers them within each."""

    def __init__(self, bins: Any) -> None:
        self._known, self._places = bins.make_known_categories_bitsets()
        self._sets: list[NDArray[np.uint8]] = []

    def add(self, nodes: Nodes, left_sets: NDArray[np.uint32]) -> Nodes:
        """Add the sets of a tree; return its nodes with their numbers among all sets.

        Args:
            nodes: those of the tree, with their numbers within it.
            left_sets: the bits of the categories that go left, for each set of the tree.
        """
        numbers = nodes.category_set.copy()

        for node in np.flatnonzero(nodes.is_categorical).tolist():
            left = left_sets[numbers[node]]
            feature = nodes.feature[node]
            known = self._known[self._places[feature]]
            missing_left = bool(nodes.missing_left[node])

            numbers[node] = len(self._sets)
            self._sets.append(goes_right(left, known, missing_left=missing_left))
        return replace(nodes, category_set=numbers)

    def table(self) -> NDArray[np.uint8]:
        """Return all sets, shape (sets, 256), with 1 for each code that goes right."""
        sets = np.array(self._sets, np.uint8)
        return sets.reshape(-1, 32 * CATEGORY_WORDS)


def goes_right(
    left: NDArray[np.uint32], known: NDArray[np.uint32], *, missing_left: bool
) -> NDArray[np.uint8]:
    """Return 1 for each code that goes right at a set of categories, else 0.

    Args:
        left: the bits of the categories that go left.
        known: the bits of those that are known; all others go where a missing value goes.
        missing_left: whether a missing value goes left.
    """
    missing = 0 if missing_left else 1
    categories = np.arange(CODES - 1)
    is_left = _bits_of(left, categories)
    is_known = _bits_of(known, categories)

    others = np.where(is_known, 1, missing)
    right = np.where(is_left, 0, others)
    codes = np.concatenate([[missing], right])
    return codes.astype(np.uint8)


def _bits_of(words: NDArray[np.uint32], numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bits at some positions in words of 32."""
    word = words[numbers // 32]
    place = numbers % 32
    return np.asarray(word >> place & 1)
