"""Bytes instead of values: the place among a feature's thresholds, or the category."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.family import Columns
from tasks.core.model.trees.loops import code_ranks, write_members
from tasks.core.model.trees.nodes import Nodes, UnsupportedError
from tasks.core.model.trees.splits import Splits, round_down

MAX_THRESHOLDS = 254  # 255 ranks and the code for what is missing fill a byte
CODES = 256
Thresholds = dict[int, NDArray[np.float64]]
Searches = dict[tuple[int, str], tuple[NDArray[Any], int]]


@dataclass(frozen=True)
class Codes:
    """How the values of each feature that the trees use become bytes, 0 being a missing value.

    Attributes:
        thresholds: those of each numeric feature, sorted; infinity is left out, since no number is
            above it.
        categories: how many each other feature has.
        places: the rows of each feature among the codes: one of bytes, or one for eight categories.
        sets: for each set of categories, which codes go right: bit c % 8 of byte c // 8.
    """

    thresholds: Thresholds
    categories: dict[int, int]
    places: dict[int, slice]
    sets: NDArray[np.uint8]

    @property
    def height(self) -> int:
        """The number of rows of codes."""
        ends = [place.stop for place in self.places.values()]
        return max(ends, default=0)

    def splits(self, nodes: Nodes) -> Splits:
        """Return the splits of a tree over codes; the keys are the rows of codes."""
        feature = np.where(nodes.is_leaf, 0, nodes.feature)
        shifts = np.where(nodes.missing_left, 0, 1)
        is_numeric = nodes.is_numeric

        ranks = np.zeros(len(feature), np.int64)
        for number in np.unique(feature[is_numeric]).tolist():
            here = is_numeric & (feature == number)
            thresholds = nodes.threshold[here]
            ranks[here] = np.searchsorted(self.thresholds[number], thresholds)

        bounds = ranks + 1 - shifts
        return Splits(self._first_rows[feature], bounds, shifts)

    def write(self, columns: Columns, rows: slice, codes: NDArray[np.uint8]) -> None:
        """Write the codes of some rows of the columns, each feature in its own place in `codes`."""
        for feature, place in self.places.items():
            values = columns[feature][rows]
            column = np.require(values, requirements=["C", "A"])
            if feature in self.thresholds:
                self._write_ranks(feature, column, codes[place.start])
            else:
                self._write_categories(feature, column, codes[place])

    def _write_ranks(self, feature: int, column: NDArray[Any], codes: NDArray[np.uint8]) -> None:
        thresholds, steps = self._searches[feature, column.dtype.name]
        code_ranks(column, thresholds, steps, codes[: len(column)])

    def _write_categories(
        self, feature: int, column: NDArray[Any], codes: NDArray[np.uint8]
    ) -> None:
        """Write categories, which are 0, 1, 2, ... by now; an unknown one counts as missing."""
        count = self.categories[feature]
        is_known = (column >= 0) & (column < count)
        numbers = np.where(is_known, column + 1, 0)
        write_members(numbers.astype(np.uint8), codes)

    @cached_property
    def _first_rows(self) -> NDArray[np.int64]:
        """The first row of codes of each feature; 0 of one that the trees do not use."""
        last_feature = max(self.places, default=0)
        first_rows = np.zeros(last_feature + 1, np.int64)
        for feature, place in self.places.items():
            first_rows[feature] = place.start
        return first_rows

    @cached_property
    def _searches(self) -> Searches:
        """What a binary search takes, by feature and type of its column: thresholds and steps.

        The thresholds are as wide as the column, and filled up to a power of two.
        """
        searches: Searches = {}

        for feature, thresholds in self.thresholds.items():
            count = len(thresholds)
            steps = count.bit_length()
            filled = np.full(1 << steps, np.inf)
            filled[:count] = thresholds
            searches[feature, "float64"] = filled, steps
            searches[feature, "float32"] = round_down(filled), steps
        return searches


def make_codes(
    trees: Sequence[Nodes], sets: NDArray[np.uint8], categories: dict[int, int]
) -> Codes:
    """Find the thresholds that trees use, and a place for each feature.

    Args:
        trees: all of them.
        sets: a row for each set of categories, with 1 for each code that goes right.
        categories: how many each feature has that is no number.

    Raises:
        UnsupportedError: a feature has more than a byte can tell apart.
    """
    thresholds = _thresholds_by_feature(trees)
    used = np.concatenate([nodes.feature[nodes.is_inner] for nodes in trees])

    places: dict[int, slice] = {}
    height = 0
    for feature in np.unique(used).tolist():
        rows = 1 if feature in thresholds else 1 + categories[feature] // 8
        places[feature] = slice(height, height + rows)
        height += rows

    packed = np.packbits(sets, axis=1, bitorder="little")
    return Codes(thresholds, categories, places, packed)


def _thresholds_by_feature(trees: Sequence[Nodes]) -> Thresholds:
    """Return the sorted thresholds of each numeric feature, without infinity."""
    features = np.concatenate([nodes.feature[nodes.is_numeric] for nodes in trees])
    thresholds = np.concatenate([nodes.threshold[nodes.is_numeric] for nodes in trees])
    if np.isnan(thresholds).any():
        raise UnsupportedError("the kernel does not know thresholds that are not numbers")

    found: Thresholds = {}
    is_finite = thresholds < np.inf
    for feature in np.unique(features).tolist():
        here = is_finite & (features == feature)
        found[feature] = np.unique(thresholds[here])
        count = len(found[feature])
        if count > MAX_THRESHOLDS:
            raise UnsupportedError(
                f"feature {feature} has {count} thresholds: the kernel takes {MAX_THRESHOLDS}"
            )
    return found
