"""The nodes of one fitted tree, in one form for both of scikit-learn's kinds of tree."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CATEGORY_WORDS = 8  # a set of categories is 256 bits in words of 32


class UnsupportedError(Exception):
    """The kernel does not support a model: scikit-learn itself must predict, which is as good."""


@dataclass(frozen=True)
class Nodes:
    """The nodes of one tree, the root first.

    A row goes left if its feature is at most the threshold, or in the set of categories.

    Attributes:
        category_set: the position of each node's set of categories; -1 for a numeric feature.
        leaf_values: the values of each leaf, shape (nodes, outputs).
    """

    is_leaf: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    category_set: NDArray[np.int64]
    leaf_values: NDArray[np.float64]

    @property
    def leaves(self) -> int:
        """The number of leaves."""
        return int(self.is_leaf.sum())

    @property
    def is_inner(self) -> NDArray[np.bool_]:
        """Whether each node has children."""
        return ~self.is_leaf

    @property
    def is_numeric(self) -> NDArray[np.bool_]:
        """Whether each node is an inner one that compares a number with its threshold."""
        has_threshold = self.category_set < 0
        return self.is_inner & has_threshold

    @property
    def is_categorical(self) -> NDArray[np.bool_]:
        """Whether each node is an inner one that looks up a category in its set."""
        has_set = self.category_set >= 0
        return self.is_inner & has_set


def nodes_of_predictor(predictor: Any) -> Nodes:
    """Read a tree of HistGradientBoosting."""
    nodes = predictor.nodes
    is_categorical = nodes["is_categorical"] != 0
    sets = nodes["bitset_idx"].astype(np.int64)
    values = nodes["value"].astype(np.float64)

    return Nodes(
        is_leaf=nodes["is_leaf"] != 0,
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        missing_left=nodes["missing_go_to_left"] != 0,
        category_set=np.where(is_categorical, sets, -1),
        leaf_values=values.reshape(-1, 1),
    )


def nodes_of_tree(tree: Any, where: str) -> Nodes:
    """Read the `tree_` of a decision tree.

    Raises:
        ValueError: it claims more nodes than it holds. Even to look at its arrays would read beyond
            them.
    """
    count = tree.node_count
    if not 1 <= count <= tree.capacity:
        raise ValueError(
            f"the model is damaged: {where} claims {count} nodes and holds {tree.capacity}"
        )

    return Nodes(
        is_leaf=tree.children_left == -1,
        left=tree.children_left,
        right=tree.children_right,
        feature=tree.feature,
        threshold=tree.threshold,
        missing_left=tree.missing_go_to_left != 0,
        category_set=np.full(count, -1),
        leaf_values=tree.value.reshape(count, -1),
    )


def check_leaves(trees: list[Nodes]) -> None:
    """Refuse trees with a leaf that is infinite or not a number.

    Raises:
        UnsupportedError: there is one.
    """
    for nodes in trees:
        values = nodes.leaf_values[nodes.is_leaf]
        if not np.isfinite(values).all():
            raise UnsupportedError("the kernel does not know leaves whose values are not finite")
