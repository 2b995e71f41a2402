import numpy as np
import pytest
from sklearn import ensemble, tree
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tasks.core.model.threads import one_thread
from tasks.core.model.trees.checks import check_trees
from tasks.core.model.trees.kernel import build_kernel

chance = np.random.default_rng(0)
X = chance.normal(size=(200, 3))
NUMBERS = chance.normal(size=200)
CLASSES = chance.integers(0, 2, 200)
CODES = np.column_stack([X, chance.integers(0, 9, 200)])


@pytest.fixture(scope="module", autouse=True)
def _single_threaded():
    with one_thread():
        yield


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


def pipeline():
    return make_pipeline(StandardScaler(), tree.DecisionTreeClassifier()).fit(X, CLASSES)


def vote():
    members = [
        ("one", tree.DecisionTreeClassifier()),
        ("two", make_pipeline(ensemble.ExtraTreesClassifier(2))),
    ]
    return ensemble.VotingClassifier(members).fit(X, CLASSES)


def stack():
    return ensemble.StackingRegressor([("one", single())], cv=2).fit(X, NUMBERS)


def calibrated():
    return CalibratedClassifierCV(ensemble.HistGradientBoostingClassifier(max_iter=2), cv=2).fit(
        X, CLASSES
    )


def bagging():
    return ensemble.BaggingRegressor(tree.DecisionTreeRegressor(), 2).fit(X, NUMBERS)


def isolation():
    return ensemble.IsolationForest(n_estimators=2).fit(X)


SOUND = [
    hist, hist_with_categories, forest, single, boosting, pipeline, vote, stack, calibrated, bagging, isolation,
]  # fmt: skip


@pytest.mark.parametrize("make", SOUND)
def test_what_was_fitted_is_sound(make):
    check_trees(make())


@pytest.mark.parametrize(
    "model", [tree.DecisionTreeRegressor(), ensemble.HistGradientBoostingRegressor(), object(), 3]
)
def test_what_has_no_trees_has_none_that_are_damaged(model):
    check_trees(model)


HIST_DAMAGE = {
    "a left child that is not there": ("left", 0, 10_000),
    "a right child that is not there": ("right", 0, 0),
    "two parents": ("right", 0, 1),
    "a feature that is none of the 3": ("feature_idx", 0, 3),
}


@pytest.mark.parametrize(("words", "damage"), HIST_DAMAGE.items())
def test_a_damaged_tree_of_hist_gradient_boosting_is_named(words, damage):
    model, (field, node, value) = hist(), damage
    model._predictors[2][0].nodes[field][node] = value
    with pytest.raises(
        ValueError, match=f"node [01] of tree 2 of HistGradientBoostingClassifier has {words}$"
    ):
        check_trees(model)


TREE_DAMAGE = {
    "a left child that is not there": ("children_left", 0, 10_000),
    "a right child that is not there": ("children_right", 0, -1),
    "two parents": ("children_right", 0, 1),
    "a feature that is none of the 3": ("feature", 0, -2),
}


@pytest.mark.parametrize(("words", "damage"), TREE_DAMAGE.items())
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
def test_a_damaged_tree_is_found_wherever_it_is(make, find, words, damage):
    model, (field, node, value) = make(), damage
    getattr(find(model).tree_, field)[node] = value
    with pytest.raises(ValueError, match=f"node [01] of .* has {words}$"):
        check_trees(model)


def test_a_tree_that_goes_round_for_ever_is_refused():
    model = calibrated()
    nodes = model.calibrated_classifiers_[1].estimator._predictors[0][0].nodes
    nodes["left"][nodes["left"][0]], nodes["is_leaf"][nodes["left"][0]] = nodes["left"][0], 0
    with pytest.raises(ValueError, match="two parents"):
        check_trees(model)


def test_a_tree_that_claims_more_nodes_than_it_holds_is_refused():
    model = single()
    state = model.tree_.__getstate__()
    model.tree_.__setstate__({**state, "node_count": state["node_count"] + 1})
    with pytest.raises(
        ValueError, match=f"claims {state['node_count'] + 1} nodes and holds {state['node_count']}"
    ):
        check_trees(model)


def test_a_tree_without_nodes_is_refused():
    model = hist()
    model._predictors[0][0].nodes = model._predictors[0][0].nodes[:0]
    with pytest.raises(ValueError, match="tree 0 of HistGradientBoostingClassifier has no nodes"):
        check_trees(model)


def categorical_split(model):
    for (predictor,) in model._predictors:
        for node in np.flatnonzero(predictor.nodes["is_categorical"]):
            return predictor, node
    raise AssertionError


def test_a_set_of_categories_that_is_not_there_is_refused():
    model = hist_with_categories()
    predictor, node = categorical_split(model)
    predictor.nodes["bitset_idx"][node] = 99
    with pytest.raises(ValueError, match="a set of categories that is not there"):
        check_trees(model)


def test_categories_of_a_number_are_refused():
    model = hist_with_categories()
    predictor, node = categorical_split(model)
    predictor.nodes["feature_idx"][node] = 2
    with pytest.raises(ValueError, match="categories of a feature that has none"):
        check_trees(model)


def test_sets_of_categories_of_another_size_are_refused():
    model = hist_with_categories()
    predictor, _ = categorical_split(model)
    predictor.raw_left_cat_bitsets = predictor.raw_left_cat_bitsets[:, :4]
    with pytest.raises(ValueError, match=r"the sets of categories of tree \d of .* are of shape"):
        check_trees(model)


@pytest.mark.parametrize(
    ("make", "break_it", "words"),
    [
        (
            hist,
            lambda model: model._predictors[1].append(model._predictors[0][0]),
            "2 trees in iteration 1, not 1",
        ),
        (
            hist,
            lambda model: setattr(model, "n_features_in_", 5),
            "not have as many features as it says",
        ),
        (
            hist_with_categories,
            lambda model: model._preprocessor.transformers_.pop(1),
            "not have as many features as it says",
        ),
        (
            boosting,
            lambda model: setattr(model, "n_trees_per_iteration_", 2),
            r"trees of shape \(3, 1\), not 2",
        ),
        (
            boosting,
            lambda model: setattr(model.estimators_[0, 0], "n_features_in_", 1),
            "none of the 1",
        ),
        (
            boosting,
            lambda model: model.estimators_.__setitem__((1, 0), forest().estimators_[0]),
            "tree 1 of GradientBoostingRegressor answers 2 numbers, not one",
        ),
    ],
)
def test_a_model_that_does_not_hold_what_it_says_is_refused(make, break_it, words):
    model = make()
    break_it(model)
    with pytest.raises(ValueError, match=words):
        check_trees(model)


def test_no_kernel_is_built_of_a_damaged_model():
    model = forest()
    model.estimators_[0].tree_.feature[0] = 1_000_000
    with pytest.raises(
        ValueError, match="the model is damaged: node 0 of a DecisionTreeClassifier"
    ):
        build_kernel(model)
