"""Forests and single decision trees: the values of their leaves, summed from zero on."""

from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.family import (
    Columns,
    Family,
    Predicted,
    Sums,
    predict_with,
)
from tasks.core.model.trees.inputs import refuse_floats
from tasks.core.model.trees.keys import walk_floats
from tasks.core.model.trees.nodes import Nodes, UnsupportedError, check_leaves, nodes_of_tree


def sum_forest(estimator: Any) -> Sums:
    """Prepare the sums of a forest: the values of each tree's leaves, from zero on."""
    return _prepare_sums(estimator, estimator.estimators_, 0.0)


def sum_tree(estimator: Any) -> Sums:
    """Prepare the values of one tree's leaves; -0.0 leaves them as they are, even -0.0."""
    return _prepare_sums(estimator, [estimator], -0.0)


def predict_forest(estimator: Any, sums: NDArray[np.float64], *, proba: bool) -> Predicted:
    """Predict as a forest does from the sums of its trees."""
    means = sums / len(estimator.estimators_)
    if hasattr(estimator, "predict_proba"):
        return predict_with(estimator, proba=proba, predict_proba=lambda _: means)
    return predict_with(estimator, proba=proba, predict=lambda _: means[:, 0])


def predict_tree(estimator: Any, sums: NDArray[np.float64], *, proba: bool) -> Predicted:
    """Predict as a decision tree does from the values of its leaves."""
    tree = SimpleNamespace(predict=lambda values: values)
    return predict_with(estimator, proba=proba, _validate_X_predict=lambda *_: sums, tree_=tree)


def _prepare_sums(estimator: Any, members: Sequence[Any], zero: float) -> Sums:
    name = type(estimator).__name__
    features = estimator.n_features_in_
    if estimator.n_outputs_ != 1:
        raise UnsupportedError(f"the kernel does not know {name} with several outputs")

    trees = _trees_of(members)
    _check_features(members, features, name)
    width = int(getattr(estimator, "n_classes_", 1))
    widths = {nodes.leaf_values.shape[1] for nodes in trees}
    if widths != {width}:
        raise UnsupportedError(
            f"the kernel does not know trees without a value for each of {width} classes"
        )

    gaps = bool(members[0].__sklearn_tags__().input_tags.allow_nan)
    refuse = partial(refuse_floats, name=name, gaps=gaps)
    first_outputs = [0] * len(trees)
    walks = walk_floats(trees, first_outputs, features, refuse)

    def sum_leaves(columns: Columns) -> NDArray[np.float64]:
        rows = len(columns[0])
        sums = np.full((rows, width), zero)
        walks.add(columns, sums)
        return sums

    return sum_leaves


def _trees_of(members: Sequence[Any]) -> list[Nodes]:
    """Read the tree of each member."""
    trees = []
    for number, member in enumerate(members):
        trees.append(nodes_of_tree(member.tree_, f"tree {number}"))
    check_leaves(trees)
    return trees


def _check_features(members: Sequence[Any], features: int, name: str) -> None:
    """Refuse a forest with a tree of other features than its own."""
    for member in members:
        taken = member.n_features_in_
        if taken != features:
            raise ValueError(f"a tree takes {taken} features, its {name} {features}")


FOREST = Family(sum_forest, predict_forest)
TREE = Family(sum_tree, predict_tree)
