import numpy as np
import pytest

from tasks.core.metrics import METRICS
from tasks.core.tables.columns import Column
from tasks.core.tables.frames import to_frame
from tasks.core.training.candidates import check_candidate, estimator_class, make_estimator
from tasks.core.training.pipeline import build_pipeline

RIDGE = "sklearn.linear_model.Ridge"
FOREST = "sklearn.ensemble.RandomForestRegressor"
BOOSTING = "sklearn.ensemble.HistGradientBoostingRegressor"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sklearn.linear_model.Rigde", "did you mean sklearn.linear_model.Ridge"),
        (
            "sklearn.ensembel.RandomForestRegressor",
            "did you mean sklearn.ensemble.RandomForestRegressor",
        ),
        ("sklearn.nonsense.Nothing", "is not an estimator$"),
        ("sklearn.preprocessing.StandardScaler", "is not an estimator"),
        ("sklearn.base.clone", "is not an estimator"),
        ("os.system", "is not a scikit-learn estimator"),
        ("sklearnish.Ridge", "is not a scikit-learn estimator"),
        ("Ridge", "is not a scikit-learn estimator"),
        ("", "is not a scikit-learn estimator"),
    ],
)
def test_only_scikit_learn_estimators_are_found_and_near_names_are_told(name, words):
    assert estimator_class(RIDGE).__name__ == "Ridge"
    with pytest.raises(ValueError, match=words):
        estimator_class(name)


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
        ("sklearn.linear_model.LogisticRegression", "classification", "log_loss", None),
        ("sklearn.svm.LinearSVC", "classification", "zero_one_loss", None),
        (
            "sklearn.svm.LinearSVC",
            "classification",
            "log_loss",
            "gives no probabilities: set .* to zero_one_loss",
        ),
        (RIDGE, "classification", "log_loss", "is not for classification"),
        ("sklearn.linear_model.LogisticRegression", "regression", "mae", "is not for regression"),
        ("sklearn.cluster.KMeans", "regression", "mae", "is not for regression"),
        (
            "sklearn.model_selection.GridSearchCV",
            "regression",
            "mae",
            "needs another estimator inside",
        ),
    ],
)
def test_a_candidate_suits_the_problem_and_the_metric_or_is_refused(name, problem, metric, words):
    if words is None:
        assert check_candidate(name, {}, problem, METRICS[metric]).get_params()["random_state"] == 0
        return
    with pytest.raises(ValueError, match=words):
        check_candidate(name, {}, problem, METRICS[metric])


def test_gradient_boosting_gets_a_code_for_each_category_first_and_missing_numbers_as_they_are(
    mixed, fitted
):
    pipeline = fitted(BOOSTING, max_iter=5)
    assert pipeline["estimate"].is_categorical_.tolist() == [True] * 2 + [False] * 7
    columns = [Column("number", "numeric"), Column("city", "categorical")]
    prepared = build_pipeline(make_estimator(BOOSTING, {}), columns)["prepare"].fit_transform(
        to_frame(mixed, columns)
    )
    np.testing.assert_array_equal(prepared[:, 1], mixed["number"].to_numpy())
    codes = dict(zip(mixed["city"].to_pylist(), prepared[:, 0].tolist(), strict=True))
    assert sorted(code for city, code in codes.items() if city is not None) == [0.0, 1.0, 2.0, 3.0]
    assert np.isnan(codes[None])
    np.testing.assert_array_equal(
        prepared[:, 0], [codes[city] for city in mixed["city"].to_pylist()]
    )


def test_a_linear_model_gets_no_gaps_and_one_column_for_each_category(mixed, fitted):
    pipeline = fitted(RIDGE)
    columns = [
        Column(name, kind) for name, kind in [("number", "numeric"), ("city", "categorical")]
    ]
    prepared = pipeline["prepare"].transform(to_frame(mixed, [*columns, *_others()]))
    assert np.isfinite(prepared).all()
    assert prepared.shape == (len(mixed), 5 + 3 + 2 + 1 + 4)


def _others():
    return [
        Column("count", "numeric"),
        Column("flag", "boolean"),
        Column("side", "categorical"),
        Column("at", "date"),
    ]


def test_two_fits_of_one_candidate_answer_the_same(mixed, fitted):
    frame = to_frame(
        mixed, [Column("number", "numeric"), Column("city", "categorical"), *_others()]
    )
    one, other = (fitted(FOREST, n_estimators=5).predict(frame) for _ in range(2))
    np.testing.assert_array_equal(one, other)
