"""The nodes of a fitted tree, whichever of scikit-learn's two kinds of tree it is, and what makes
them sound.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CATEGORY_WORDS = 8  # a set of categories is 256 bits in words of 32


class UnsupportedError(Exception):
    """The kernel does not answer for this model, which is as good as ever: ask the model itself."""


@dataclass(frozen=True)
class Nodes:
    """One tree, the root first: a row whose feature is at most the threshold, or in the set of
    categories, goes left.

    `category_set` is the position of a node's set of categories, -1 where the feature is a number.
    `leaf_values` are what the leaves answer, of shape (nodes, answers).
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


def nodes_of_predictor(predictor: Any) -> Nodes:
    """Read a tree of HistGradientBoosting."""
    nodes = predictor.nodes
    return Nodes(
        is_leaf=nodes["is_leaf"] != 0,
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        missing_left=nodes["missing_go_to_left"] != 0,
        category_set=np.where(
            nodes["is_categorical"] != 0, nodes["bitset_idx"].astype(np.int64), -1
        ),
        leaf_values=nodes["value"].astype(np.float64).reshape(-1, 1),
    )


def nodes_of_tree(tree: Any, where: str) -> Nodes:
    """Read the `tree_` of a decision tree.

    Raises:
        ValueError: it claims more nodes than it holds. Even to look at its arrays would read beyond
            them.
    """
    if not 1 <= tree.node_count <= tree.capacity:
        raise ValueError(
            f"the model is damaged: {where} claims {tree.node_count} nodes and holds {tree.capacity}"
        )
    return Nodes(
        is_leaf=tree.children_left == -1,
        left=tree.children_left,
        right=tree.children_right,
        feature=tree.feature,
        threshold=tree.threshold,
        missing_left=tree.missing_go_to_left != 0,
        category_set=np.full(tree.node_count, -1),
        leaf_values=tree.value.reshape(tree.node_count, -1),
    )


def check_nodes(nodes: Nodes, features: int, where: str) -> None:
    """Refuse nodes that are no tree, or that ask for a feature there is not.

    Raises:
        ValueError: with the tree and the node.
    """
    count = len(nodes.is_leaf)
    if not count:
        raise ValueError(f"the model is damaged: {where} has no nodes")
    inner = np.flatnonzero(~nodes.is_leaf)
    for name, children in (("left", nodes.left[inner]), ("right", nodes.right[inner])):
        _refuse(
            (children < 1) | (children >= count), inner, where, f"a {name} child that is not there"
        )
    times = np.bincount(np.concatenate([nodes.left[inner], nodes.right[inner]]), minlength=count)
    _refuse(times > 1, np.arange(count), where, "two parents")
    asked = nodes.feature[inner]
    _refuse(
        (asked < 0) | (asked >= features), inner, where, f"a feature that is none of the {features}"
    )


def check_category_sets(
    nodes: Nodes, sets: NDArray[Any], categorical: NDArray[np.bool_], where: str
) -> None:
    """Refuse nodes whose set of categories is missing, or whose feature has no categories.

    Raises:
        ValueError: with the tree and the node.
    """
    split = np.flatnonzero(~nodes.is_leaf & (nodes.category_set >= 0))
    if len(split) and sets.shape[1:] != (CATEGORY_WORDS,):
        raise ValueError(
            f"the model is damaged: the sets of categories of {where} are of shape {sets.shape}"
        )
    _refuse(
        nodes.category_set[split] >= len(sets),
        split,
        where,
        "a set of categories that is not there",
    )
    _refuse(
        ~categorical[nodes.feature[split]], split, where, "categories of a feature that has none"
    )


def _refuse(wrong: NDArray[np.bool_], numbers: NDArray[np.int64], where: str, what: str) -> None:
    if wrong.any():
        raise ValueError(
            f"the model is damaged: node {numbers[np.argmax(wrong)]} of {where} has {what}"
        )
