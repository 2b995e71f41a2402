"""Checks that the trees of a model are trees.

scikit-learn follows their indices blindly, and a model file may lie.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tasks.core.model.contents import objects_inside
from tasks.core.model.trees.node_checks import check_category_sets, check_nodes
from tasks.core.model.trees.nodes import nodes_of_predictor, nodes_of_tree
from tasks.core.model.trees.sklearn_internals import hist_bins, hist_encoder, hist_predictors


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
        for kind in type(found).__mro__:
            check = CHECKS.get(kind.__name__)
            if check is not None and kind.__module__.startswith("sklearn."):
                check(found)


def check_tree(model: Any) -> None:
    """Refuse a decision tree with damaged nodes; one that is not fitted has none."""
    if "tree_" not in vars(model):
        return

    where = f"a {type(model).__name__}"
    check_nodes(nodes_of_tree(model.tree_, where), model.n_features_in_, where)


def check_forest(model: Any) -> None:
    """Refuse a forest whose trees take other rows than it does: it checks the rows, they do not."""
    if "estimators_" not in vars(model):
        return

    widths = {tree.n_features_in_ for tree in model.estimators_}
    if widths != {model.n_features_in_}:
        raise ValueError(
            f"the model is damaged: the trees of {type(model).__name__} take {sorted(widths)} "
            f"features, not {model.n_features_in_}"
        )


def check_gradient_boosting(model: Any) -> None:
    """Refuse GradientBoosting with damaged trees, or as many as it does not say."""
    if "estimators_" not in vars(model):
        return

    name = type(model).__name__
    width = model.n_trees_per_iteration_
    shape = model.estimators_.shape
    if shape[1:] != (width,):
        raise ValueError(
            f"the model is damaged: {name} has trees of shape {shape}, "
            f"not {width} in each iteration"
        )

    for number, tree in enumerate(model.estimators_.ravel()):
        _check_boosted_tree(model, tree, f"tree {number} of {name}")

    # What the trees add to has a column for each of an iteration.
    first = model._raw_predict_init(np.zeros((1, model.n_features_in_)))  # noqa: SLF001 - no other way to see it
    if first.shape != (1, width):
        raise ValueError(
            f"the model is damaged: {name} begins with {first.shape[1]} values, "
            f"and has {width} trees in each iteration"
        )


def _check_boosted_tree(model: Any, tree: Any, where: str) -> None:
    """Refuse a tree of GradientBoosting with damaged nodes, or with several values in a leaf."""
    nodes = nodes_of_tree(tree.tree_, where)
    first_tree = model.estimators_[0, 0]
    # The rows are checked against the first tree alone.
    features = min(model.n_features_in_, first_tree.n_features_in_)
    check_nodes(nodes, features, where)

    values = nodes.leaf_values.shape[1]
    if values != 1:
        raise ValueError(f"the model is damaged: {where} has {values} values in a leaf, not one")


def check_hist_gradient_boosting(model: Any) -> None:
    """Refuse HistGradientBoosting with damaged trees, or as many as it does not say."""
    if "_predictors" not in vars(model):
        return

    name = type(model).__name__
    features = model.n_features_in_
    categorical = np.asarray(hist_bins(model).is_categorical_) != 0
    counts = {len(categorical), _features_of_trees(model)}
    if counts != {features}:
        raise ValueError(f"the model is damaged: {name} does not have as many features as it says")

    for iteration, predictors in enumerate(hist_predictors(model)):
        _check_count(model, iteration, len(predictors))
        first = iteration * len(predictors)
        for number, predictor in enumerate(predictors, first):
            where = f"tree {number} of {name}"
            nodes = nodes_of_predictor(predictor)
            check_nodes(nodes, features, where)
            check_category_sets(nodes, predictor.raw_left_cat_bitsets, categorical, where)


def _check_count(model: Any, iteration: int, trees: int) -> None:
    """Refuse an iteration of more or fewer trees than the model says."""
    if trees != model.n_trees_per_iteration_:
        raise ValueError(
            f"the model is damaged: {type(model).__name__} has {trees} trees in iteration "
            f"{iteration}, not {model.n_trees_per_iteration_}"
        )


def _features_of_trees(model: Any) -> int:
    """Count the features that the trees get: the encoder inside the model may only reorder them."""
    encoder = hist_encoder(model)
    if encoder is None:
        return int(model.n_features_in_)

    count = 0
    for _, step, columns in encoder.transformers_:
        if step != "drop":
            chosen = np.asarray(columns)
            is_mask = chosen.dtype == bool
            count += chosen.sum() if is_mask else len(chosen)
    return int(count)


CHECKS: dict[str, Callable[[Any], None]] = {
    "BaseDecisionTree": check_tree,
    "BaseForest": check_forest,
    "BaseGradientBoosting": check_gradient_boosting,
    "BaseHistGradientBoosting": check_hist_gradient_boosting,
}
