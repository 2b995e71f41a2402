import sys

import pytest
from sklearn.utils import all_estimators

from tasks.core.errors import RequestError
from tasks.core.metrics import METRICS
from tasks.core.training.candidates import (
    check_candidate,
    check_candidates,
    estimator_class,
    make_estimator,
)

RIDGE = "sklearn.linear_model.Ridge"
LOGISTIC = "sklearn.linear_model.LogisticRegression"
MISSPELT = "sklearn.linear_model.Rigde"
SVC = "sklearn.svm.LinearSVC"
FOREST = "sklearn.ensemble.RandomForestRegressor"
SEARCH = "sklearn.model_selection.GridSearchCV"
PREDICTORS = sorted(
    f"{'.'.join(kind.__module__.split('.')[:2])}.{name}"
    for name, kind in all_estimators()
    if hasattr(kind, "predict")
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (MISSPELT, f"did you mean {RIDGE}"),
        ("sklearn.ensembel.RandomForestRegressor", f"did you mean {FOREST}"),
        ("sklearn.nonsense.Nothing", "is not an estimator$"),
        ("sklearn.preprocessing.StandardScaler", "is not an estimator"),
        ("sklearn.base.clone", "is not an estimator"),
        ("os.system", "is not a scikit-learn estimator"),
        ("sklearnish.Ridge", "is not a scikit-learn estimator"),
        ("Ridge", "is not a scikit-learn estimator"),
        ("", "is not a scikit-learn estimator"),
        ("sklearn.", "is not an estimator$"),
        ("sklearn.linear_model._ridge.Ridge", f"is not an estimator; did you mean {RIDGE}"),
        ("sklearn.tests.test_base.MyEstimator", "is not an estimator"),
        ("sklearn.linear_model.tests.test_ridge.Ridge", f"did you mean {RIDGE}"),
        ("sklearn.utils.estimator_checks.BaseBadClassifier", "is not an estimator"),
        ("sklearn.utils._testing.MinimalRegressor", "is not an estimator"),
        ("sklearn.conftest.Anything", "is not an estimator"),
        ("sklearn.linear_model.ridge_regression", "is not an estimator"),
        ("sklearn.show_versions.__class__", "is not an estimator"),
        ("sklearn.externals.array_api_compat.Ridge", f"did you mean {RIDGE}"),
        ("sklearn.dummy.BaseEstimator", "is not an estimator"),
    ],
)
def test_only_scikit_learn_estimators_are_found_and_near_names_are_told(name, words):
    with pytest.raises(ValueError, match=words):
        estimator_class(name)


@pytest.mark.parametrize(
    "module", ["sklearn.tests.test_dummy", "sklearn.svm.tests.test_svm", "sklearn.conftest"]
)
def test_what_scikit_learn_does_not_document_is_not_even_imported(module):
    with pytest.raises(ValueError, match="is not an estimator"):
        estimator_class(f"{module}.DummyRegressor")
    assert module not in sys.modules


@pytest.mark.parametrize(
    ("name", "params", "seed"),
    [(FOREST, {}, 0), (FOREST, {"random_state": 5}, 5), (FOREST, {"random_state": None}, None)],
)
def test_chance_has_a_seed_unless_another_one_is_given(name, params, seed):
    assert make_estimator(name, params).random_state == seed


def test_parameters_arrive_and_unknown_ones_are_refused_with_the_known_ones():
    assert make_estimator(RIDGE, {"alpha": 2.5}).alpha == 2.5
    with pytest.raises(ValueError, match=r"no parameter 'alhpa': it has alpha, "):
        make_estimator(RIDGE, {"alhpa": 2.5})


@pytest.mark.parametrize(
    ("name", "problem", "metric", "words"),
    [
        (RIDGE, "regression", "mae", None),
        (LOGISTIC, "classification", "log_loss", None),
        (SVC, "classification", "zero_one_loss", None),
        (SVC, "classification", "log_loss", "gives no probabilities: set .* to zero_one_loss"),
        (RIDGE, "classification", "log_loss", "is not for classification"),
        (LOGISTIC, "regression", "mae", "is not for regression"),
        ("sklearn.cluster.KMeans", "regression", "mae", "is not for regression"),
        (SEARCH, "regression", "mae", "needs another estimator inside"),
    ],
)
def test_a_candidate_suits_the_problem_and_the_metric_or_is_refused(name, problem, metric, words):
    if words is None:
        assert check_candidate(name, {}, problem, METRICS[metric]).get_params()["random_state"] == 0
        return
    with pytest.raises(ValueError, match=words):
        check_candidate(name, {}, problem, METRICS[metric])


@pytest.mark.filterwarnings("ignore::FutureWarning")  # some are deprecated, and still there
@pytest.mark.parametrize("name", PREDICTORS)
@pytest.mark.parametrize(
    ("problem", "metric"), [("regression", "mae"), ("classification", "log_loss")]
)
def test_each_estimator_of_scikit_learn_is_made_or_refused_in_a_sentence(name, problem, metric):
    refusal = ""
    try:
        estimator = check_candidate(name, {}, problem, METRICS[metric])
    except ValueError as error:
        refusal = str(error)
    if refusal:
        assert refusal.startswith(name)
        return

    assert type(estimator).__name__ == name.rpartition(".")[2]
    needed = "predict_proba" if METRICS[metric].needs_probabilities else "predict"
    assert hasattr(estimator, needed)


@pytest.mark.parametrize(
    ("names", "problem", "scoring", "sentence"),
    [
        ([RIDGE, FOREST], "regression", {}, None),
        ([LOGISTIC], "classification", {"proba": True}, None),
        ([RIDGE, "Lasso"], "regression", {}, r"candidates\.1: 'Lasso' is not a .* `sklearn\.`\."),
        ([MISSPELT], "regression", {}, r"candidates\.0: .* did you mean .*Ridge.*\?"),
        ([SVC], "classification", {}, r"candidates\.0: .* set .*metric to zero_one_loss\."),
        ([RIDGE], "regression", {"proba": True}, r"scoring\.proba: .*: set it to false\."),
    ],
)
def test_a_spec_with_a_candidate_at_fault_is_refused_with_its_field(
    make_spec, names, problem, scoring, sentence
):
    candidates = [{"estimator": name} for name in names]
    spec = make_spec(problem=problem, candidates=candidates, scoring=scoring)
    if sentence is None:
        assert check_candidates(spec) is None
        return
    with pytest.raises(RequestError, match=f"^{sentence}$"):
        check_candidates(spec)
