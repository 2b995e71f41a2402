"""Checks that the nodes of one tree are a tree, and lead nowhere else."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.nodes import CATEGORY_WORDS, Nodes


def check_nodes(nodes: Nodes, features: int, where: str) -> None:
    """Refuse nodes that are no tree, or that ask for a feature there is not.

    Raises:
        ValueError: with the tree and the node.
    """
    count = len(nodes.is_leaf)
    if not count:
        raise ValueError(f"the model is damaged: {where} has no nodes")

    inner = np.flatnonzero(nodes.is_inner)
    left = nodes.left[inner]
    right = nodes.right[inner]
    for side, children in (("left", left), ("right", right)):
        is_lost = (children < 1) | (children >= count)
        _refuse_first(is_lost, inner, where, f"a {side} child that is not there")

    children = np.concatenate([left, right])
    parents = np.bincount(children, minlength=count)
    _refuse_first(parents > 1, np.arange(count), where, "two parents")

    feature = nodes.feature[inner]
    is_unknown = (feature < 0) | (feature >= features)
    _refuse_first(is_unknown, inner, where, f"a feature that is none of the {features}")


def check_category_sets(
    nodes: Nodes, sets: NDArray[Any], categorical: NDArray[np.bool_], where: str
) -> None:
    """Refuse nodes whose set of categories is missing, or whose feature has no categories.

    Raises:
        ValueError: with the tree and the node.
    """
    split = np.flatnonzero(nodes.is_categorical)
    if len(split) and sets.shape[1:] != (CATEGORY_WORDS,):
        raise ValueError(
            f"the model is damaged: the sets of categories of {where} are of shape {sets.shape}"
        )

    is_missing = nodes.category_set[split] >= len(sets)
    _refuse_first(is_missing, split, where, "a set of categories that is not there")

    is_numeric = ~categorical[nodes.feature[split]]
    _refuse_first(is_numeric, split, where, "categories of a feature that has none")


def _refuse_first(
    wrong: NDArray[np.bool_], numbers: NDArray[np.int64], where: str, what: str
) -> None:
    """Name the first of the numbered nodes that is wrong, if any."""
    if wrong.any():
        first = numbers[np.argmax(wrong)]
        raise ValueError(f"the model is damaged: node {first} of {where} has {what}")
