"""Checks that a model's trees are trees: scikit-learn follows their indices blindly, and a model
file may lie.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tasks.core.model.contents import objects_inside
from tasks.core.model.trees.nodes import (
    check_category_sets,
    check_nodes,
    nodes_of_predictor,
    nodes_of_tree,
)


def check_trees(estimator: Any) -> None:
    """Refuse a fitted estimator with a damaged tree, wherever in it the tree is.

    Covers HistGradientBoosting, GradientBoosting, and everything made of single decision trees
    (forests, bagging, AdaBoost, ...), inside pipelines, votes, stacks and calibrations too.

    >>> from sklearn.tree import DecisionTreeRegressor
    >>> check_trees(DecisionTreeRegressor().fit([[0], [1]], [0, 1]))

    Raises:
        ValueError: with the tree and the node; scikit-learn would read memory that is not the
            model's, or never end.
    """
    for found in objects_inside(estimator):
        for name, check in CHECKS.items():
            if any(
                kind.__name__ == name and kind.__module__.startswith("sklearn.")
                for kind in type(found).__mro__
            ):
                check(found)


def _check_tree(model: Any) -> None:
    if "tree_" in vars(model):
        where = f"a {type(model).__name__}"
        check_nodes(nodes_of_tree(model.tree_, where), model.n_features_in_, where)


def _check_gradient_boosting(model: Any) -> None:
    if "estimators_" not in vars(model):
        return
    if model.estimators_.shape[1:] != (model.n_trees_per_iteration_,):
        raise ValueError(
            f"the model is damaged: {type(model).__name__} has trees of shape {model.estimators_.shape}, "
            f"not {model.n_trees_per_iteration_} in each iteration"
        )
    for number, tree in enumerate(model.estimators_.ravel()):
        where = f"tree {number} of {type(model).__name__}"
        nodes = nodes_of_tree(tree.tree_, where)
        # The rows are checked against the first tree alone.
        check_nodes(nodes, min(model.n_features_in_, model.estimators_[0, 0].n_features_in_), where)
        if nodes.leaf_values.shape[1] != 1:
            raise ValueError(
                f"the model is damaged: {where} answers {nodes.leaf_values.shape[1]} numbers, not one"
            )


def _check_hist_gradient_boosting(model: Any) -> None:
    if "_predictors" not in vars(model):
        return
    categorical = np.asarray(model._bin_mapper.is_categorical_) != 0  # noqa: SLF001 - scikit-learn has no public way
    if len(categorical) != model.n_features_in_ or _features_out(model) != model.n_features_in_:
        raise ValueError(
            f"the model is damaged: {type(model).__name__} does not have as many features as it says"
        )
    for iteration, predictors in enumerate(model._predictors):  # noqa: SLF001
        if len(predictors) != model.n_trees_per_iteration_:
            raise ValueError(
                f"the model is damaged: {type(model).__name__} has {len(predictors)} trees in iteration {iteration}, "
                f"not {model.n_trees_per_iteration_}"
            )
        for answer, predictor in enumerate(predictors):
            where = f"tree {iteration * len(predictors) + answer} of {type(model).__name__}"
            nodes = nodes_of_predictor(predictor)
            check_nodes(nodes, model.n_features_in_, where)
            check_category_sets(nodes, predictor.raw_left_cat_bitsets, categorical, where)


def _features_out(model: Any) -> int:
    """Count the features that the trees get: the preparation inside the model may only reorder
    them.
    """
    if model._preprocessor is None:  # noqa: SLF001
        return int(model.n_features_in_)
    kept = [
        np.asarray(mask)
        for _, step, mask in model._preprocessor.transformers_  # noqa: SLF001
        if step != "drop"
    ]
    return int(sum(mask.sum() if mask.dtype == bool else len(mask) for mask in kept))


CHECKS: dict[str, Callable[[Any], None]] = {
    "BaseDecisionTree": _check_tree,
    "BaseGradientBoosting": _check_gradient_boosting,
    "BaseHistGradientBoosting": _check_hist_gradient_boosting,
}
