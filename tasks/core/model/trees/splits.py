"""The splits of a tree over keys: integers in the order of the values, a missing one apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.nodes import Nodes


@dataclass(frozen=True)
class Splits:
    """How each node of a tree splits rows, by one key of each.

    A row goes left if its key minus the shift is at most the bound, as unsigned numbers. The key of
    a missing value is 0. Shifted by 0 it is at most every bound; shifted by 1 it becomes the
    largest number, and is above. So one shift puts what is missing on either side.

    Attributes:
        keys: which key a node compares; 0 for a leaf.
        bounds: the bound, less the shift.
        shifts: 0 where a missing value goes left, else 1.
    """

    keys: NDArray[np.int64]
    bounds: NDArray[np.int64]
    shifts: NDArray[np.int64]


def split_floats(nodes: Nodes) -> Splits:
    """Return the splits of a tree that compares float32 values, one key for each feature."""
    shifts = np.where(nodes.missing_left, 0, 1)
    thresholds = round_down(nodes.threshold) + np.float32(0)  # -0.0 becomes 0.0, which it equals
    bounds = ordered_bits(thresholds).astype(np.int64)
    keys = np.where(nodes.is_leaf, 0, nodes.feature)
    return Splits(keys, bounds - shifts, shifts)


def ordered_bits(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return float32 values as integers of the same order.

    >>> ordered_bits(np.float32([-1.0, 0.0, 1.0])).tolist()
    [1082130431, 2147483648, 3212836864]
    """
    bits = values.view(np.uint32)
    is_negative = bits >> 31
    with_sign = bits | np.uint32(1 << 31)
    return np.where(is_negative, ~bits, with_sign)


def round_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round to the next float32 below.

    A float32 is at most a threshold exactly if it is at most the rounded one.

    >>> round_down(np.array([0.1, 0.5, 1e300])).tolist()
    [0.09999999403953552, 0.5, 3.4028234663852886e+38]
    """
    with np.errstate(over="ignore"):
        rounded = thresholds.astype(np.float32)

    is_above = rounded > thresholds
    too_large = rounded[is_above]
    rounded[is_above] = np.nextafter(too_large, np.float32(-np.inf))
    return rounded
