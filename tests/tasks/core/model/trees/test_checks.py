"""Damaged trees are found wherever they are, before scikit-learn follows them."""

import numpy as np
import pytest
from sklearn import ensemble, tree
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tasks.core.model.trees.checks import check_trees
from tasks.core.model.trees.kernel import build_kernel

chance = np.random.default_rng(0)
X = chance.normal(size=(200, 3))
NUMBERS = chance.normal(size=200)
CLASSES = chance.integers(0, 2, 200)
CODES = np.column_stack([X, chance.integers(0, 9, 200)])


def hist():
    return ensemble.HistGradientBoostingClassifier(max_iter=3).fit(X, CLASSES)


def hist_with_categories():
    model = ensemble.HistGradientBoostingRegressor(max_iter=3, categorical_features=[3])
    return model.fit(CODES, CODES[:, 3] % 2)


def forest():
    return ensemble.RandomForestClassifier(3, random_state=0).fit(X, CLASSES)


def single():
    return tree.DecisionTreeRegressor(random_state=0).fit(X, NUMBERS)


def boosting():
    return ensemble.GradientBoostingRegressor(n_estimators=3).fit(X, NUMBERS)


def boosting_of_three_classes():
    return ensemble.GradientBoostingClassifier(n_estimators=2).fit(X, np.arange(200) % 3)


def pipeline():
    return make_pipeline(StandardScaler(), tree.DecisionTreeClassifier()).fit(X, CLASSES)


def vote():
    extra = make_pipeline(ensemble.ExtraTreesClassifier(2))
    members = [("one", tree.DecisionTreeClassifier()), ("two", extra)]
    return ensemble.VotingClassifier(members).fit(X, CLASSES)


def stack():
    return ensemble.StackingRegressor([("one", single())], cv=2).fit(X, NUMBERS)


def calibrated():
    inner = ensemble.HistGradientBoostingClassifier(max_iter=2)
    return CalibratedClassifierCV(inner, cv=2).fit(X, CLASSES)


def bagging():
    return ensemble.BaggingRegressor(tree.DecisionTreeRegressor(), 2).fit(X, NUMBERS)


def isolation():
    return ensemble.IsolationForest(n_estimators=2).fit(X)


SOUND = [
    *[hist, hist_with_categories, forest, single, boosting, boosting_of_three_classes, pipeline],
    *[vote, stack, calibrated, bagging, isolation],
]


@pytest.mark.parametrize("make", SOUND)
def test_what_was_fitted_is_sound(make):
    check_trees(make())


@pytest.mark.parametrize(
    "model", [tree.DecisionTreeRegressor(), ensemble.HistGradientBoostingRegressor(), object(), 3]
)
def test_what_has_no_trees_has_none_that_are_damaged(model):
    check_trees(model)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("left", 10_000, "a left child that is not there"),
        ("right", 0, "a right child that is not there"),
        ("right", 1, "two parents"),
        ("feature_idx", 3, "a feature that is none of the 3"),
    ],
)
def test_a_damaged_tree_of_hist_gradient_boosting_is_named(field, value, words):
    model = hist()
    model._predictors[2][0].nodes[field][0] = value
    named = f"node [01] of tree 2 of HistGradientBoostingClassifier has {words}$"

    with pytest.raises(ValueError, match=named):
        check_trees(model)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("children_left", 10_000, "a left child that is not there"),
        ("children_right", -1, "a right child that is not there"),
        ("children_right", 1, "two parents"),
        ("feature", -2, "a feature that is none of the 3"),
    ],
)
@pytest.mark.parametrize(
    ("make", "find"),
    [
        (single, lambda model: model),
        (forest, lambda model: model.estimators_[1]),
        (boosting, lambda model: model.estimators_[2, 0]),
        (pipeline, lambda model: model[-1]),
        (vote, lambda model: model.estimators_[1][-1].estimators_[0]),
        (stack, lambda model: model.estimators_[0]),
        (bagging, lambda model: model.estimators_[1]),
        (isolation, lambda model: model.estimators_[1]),
    ],
)
def test_a_damaged_tree_is_found_wherever_it_is(make, find, field, value, words):
    model = make()
    getattr(find(model).tree_, field)[0] = value

    with pytest.raises(ValueError, match=f"node [01] of .* has {words}$"):
        check_trees(model)


def test_a_tree_that_goes_round_for_ever_is_refused():
    model = calibrated()
    nodes = model.calibrated_classifiers_[1].estimator._predictors[0][0].nodes
    child = nodes["left"][0]
    nodes["left"][child] = child
    nodes["is_leaf"][child] = 0

    with pytest.raises(ValueError, match="two parents"):
        check_trees(model)


def test_a_tree_that_claims_more_nodes_than_it_holds_is_refused():
    model = single()
    state = model.tree_.__getstate__()
    held = state["node_count"]
    model.tree_.__setstate__({**state, "node_count": held + 1})

    with pytest.raises(ValueError, match=f"claims {held + 1} nodes and holds {held}"):
        check_trees(model)


def test_a_tree_without_nodes_is_refused():
    model = hist()
    predictor = model._predictors[0][0]
    predictor.nodes = predictor.nodes[:0]

    with pytest.raises(ValueError, match="tree 0 of HistGradientBoostingClassifier has no nodes"):
        check_trees(model)


def add_a_tree(model):
    model._predictors[1].append(model._predictors[0][0])


def claim_five_features(model):
    model.n_features_in_ = 5


def lose_a_step_of_the_encoder(model):
    model._preprocessor.transformers_.pop(1)


def claim_two_trees_an_iteration(model):
    model.n_trees_per_iteration_ = 2


def narrow_the_first_tree(model):
    model.estimators_[0, 0].n_features_in_ = 1


def take_a_tree_of_a_classifier(model):
    model.estimators_[1, 0] = forest().estimators_[0]


def widen_a_tree(model):
    model.estimators_[1].n_features_in_ = 9


def begin_with_two_classes(model):
    model.init_ = DummyClassifier(strategy="prior").fit(X, CLASSES)


@pytest.mark.parametrize(
    ("make", "damage", "words"),
    [
        (forest, widen_a_tree, r"trees of RandomForestClassifier take \[3, 9\] features, not 3"),
        (forest, claim_five_features, r"RandomForestClassifier take \[3\] features, not 5"),
        (
            boosting_of_three_classes,
            begin_with_two_classes,
            "GradientBoostingClassifier begins with 2 values, and has 3 trees in each iteration",
        ),
        (hist, add_a_tree, "2 trees in iteration 1, not 1"),
        (hist, claim_five_features, "not have as many features as it says"),
        (hist_with_categories, lose_a_step_of_the_encoder, "not have as many features as it says"),
        (boosting, claim_two_trees_an_iteration, r"trees of shape \(3, 1\), not 2"),
        (boosting, narrow_the_first_tree, "none of the 1"),
        (
            boosting,
            take_a_tree_of_a_classifier,
            "tree 1 of GradientBoostingRegressor has 2 values in a leaf, not one",
        ),
    ],
)
def test_a_model_that_does_not_hold_what_it_says_is_refused(make, damage, words):
    model = make()
    damage(model)

    with pytest.raises(ValueError, match=words):
        check_trees(model)


def test_no_kernel_is_built_of_a_damaged_model():
    model = forest()
    model.estimators_[0].tree_.feature[0] = 1_000_000
    damaged = "the model is damaged: node 0 of a DecisionTreeClassifier"

    with pytest.raises(ValueError, match=damaged):
        build_kernel(model)
