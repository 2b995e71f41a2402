"""Bytes instead of numbers: where a value stands among a feature's thresholds, or which of its
categories it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.nodes import Nodes, UnsupportedError

MAX_THRESHOLDS = 254  # 255 ranks and the code for what is missing fill a byte
CODES = 256


@dataclass(frozen=True)
class Codes:
    """How the values of each feature that the trees use become bytes, 0 being a missing value.

    Attributes:
        thresholds: of each numeric feature, sorted; infinity is left out, since no number is above
            it.
        categories: how many each other feature has.
        places: the rows of each feature among the codes: one of bytes, or one for eight categories.
        sets: for each set of categories, which codes go right: bit c % 8 of byte c // 8.
    """

    thresholds: dict[int, NDArray[np.float64]]
    categories: dict[int, int]
    places: dict[int, slice]
    sets: NDArray[np.uint8]

    @property
    def height(self) -> int:
        """The number of rows of codes."""
        return max((place.stop for place in self.places.values()), default=0)

    def bounds(self, nodes: Nodes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give each node's test on codes: a row goes left if its code minus the shift, a byte, is
        at most the bound.

        The code of a missing value is 0: shifted by 0 it is below every bound, by 1 it becomes 255
        and is above.
        """
        shifts = np.where(nodes.missing_left, 0, 1)
        ranks = np.zeros(len(shifts), np.int64)
        for feature in np.unique(nodes.feature[_numeric(nodes)]).tolist():
            there = nodes.feature == feature
            ranks[there] = np.searchsorted(self.thresholds[feature], nodes.threshold[there])
        return ranks + 1 - shifts, shifts

    @cached_property
    def _searches(self) -> dict[tuple[int, str], tuple[NDArray[Any], int]]:
        """What a binary search takes: thresholds as wide as the column, up to a power of two, and
        the steps.
        """
        searches: dict[tuple[int, str], tuple[NDArray[Any], int]] = {}
        for feature, thresholds in self.thresholds.items():
            steps = len(thresholds).bit_length()
            filled = np.full(1 << steps, np.inf)
            filled[: len(thresholds)] = thresholds
            searches[feature, "float64"] = filled, steps
            searches[feature, "float32"] = round_down(filled), steps
        return searches

    def write(self, columns: Sequence[NDArray[Any]], rows: slice, codes: NDArray[np.uint8]) -> None:
        """Write the codes of some rows of the columns, each feature in its own place in `codes`."""
        from tasks.core.model.trees.loops import code_ranks, write_members  # noqa: PLC0415 - imports numba

        for feature, place in self.places.items():
            column = np.require(columns[feature][rows], requirements=["C", "A"])
            if feature in self.thresholds:
                code_ranks(
                    column,
                    *self._searches[feature, column.dtype.name],
                    codes[place.start, : len(column)],
                )
            else:  # categories are 0, 1, 2, ... by now; one that is not known is missing
                known = (column >= 0) & (column < self.categories[feature])
                write_members(np.where(known, column + 1, 0).astype(np.uint8), codes[place])


def make_codes(
    trees: Sequence[Nodes], sets: NDArray[np.uint8], categories: dict[int, int]
) -> Codes:
    """Find the thresholds that trees use.

    Args:
        trees: all of them.
        sets: a row for each set of categories, with 1 for each code that goes right.
        categories: how many each feature has that is no number.

    Raises:
        UnsupportedError: a feature has more than a byte can tell apart.
    """
    features = np.concatenate([nodes.feature[_numeric(nodes)] for nodes in trees])
    thresholds = np.concatenate([nodes.threshold[_numeric(nodes)] for nodes in trees])
    if np.isnan(thresholds).any():
        raise UnsupportedError("the kernel does not know thresholds that are not numbers")
    found = {
        feature: np.unique(thresholds[(features == feature) & (thresholds < np.inf)])
        for feature in np.unique(features).tolist()
    }
    for feature, its in found.items():
        if len(its) > MAX_THRESHOLDS:
            raise UnsupportedError(
                f"feature {feature} has {len(its)} thresholds: the kernel takes {MAX_THRESHOLDS}"
            )
    places, height = {}, 0
    for feature in np.unique(
        np.concatenate([nodes.feature[~nodes.is_leaf] for nodes in trees])
    ).tolist():
        places[feature] = slice(
            height, height + (1 if feature in found else 1 + categories[feature] // 8)
        )
        height = places[feature].stop
    return Codes(found, categories, places, np.packbits(sets, axis=1, bitorder="little"))


def goes_right(
    left: NDArray[np.uint32], known: NDArray[np.uint32], *, missing_left: bool
) -> NDArray[np.uint8]:
    """Tell for each code whether it goes right, given the bits of the categories that go left and
    that are known.
    """
    values = np.arange(CODES - 1)
    in_left, in_known = ((bits[values // 32] >> (values % 32)) & 1 for bits in (left, known))
    astray = 0 if missing_left else 1
    return np.concatenate([[astray], np.where(in_left, 0, np.where(in_known, 1, astray))]).astype(
        np.uint8
    )


def round_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round to the next float32 below: a float32 is at most a threshold exactly if it is at most
    that.

    >>> round_down(np.array([0.1, 0.5, 1e300])).tolist()
    [0.09999999403953552, 0.5, 3.4028234663852886e+38]
    """
    with np.errstate(over="ignore"):
        rounded = thresholds.astype(np.float32)
    above = rounded > thresholds
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    return rounded


def _numeric(nodes: Nodes) -> NDArray[np.bool_]:
    return np.asarray(~nodes.is_leaf & (nodes.category_set < 0))
