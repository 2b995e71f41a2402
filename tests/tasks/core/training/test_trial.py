import numpy as np
import pytest

from tasks.core.errors import RequestError
from tasks.core.model.skops_file import load_pipeline, save_pipeline
from tasks.core.spec.sections import Candidate
from tasks.core.tables.columns import feature_columns
from tasks.core.tables.frames import to_frame
from tasks.core.training import trial
from tasks.core.training.candidates import make_estimator
from tasks.core.training.pipeline import build_pipeline, fit_pipeline
from tasks.core.training.trial import check_storable

STORED = [
    ("sklearn.neighbors.KNeighborsRegressor", {"p": 1}),
    ("sklearn.neighbors.KNeighborsRegressor", {"metric": "chebyshev"}),
    ("sklearn.linear_model.TweedieRegressor", {"power": 0}),
    ("sklearn.linear_model.GammaRegressor", {}),
    ("sklearn.gaussian_process.GaussianProcessRegressor", {}),
    ("sklearn.ensemble.BaggingRegressor", {"n_estimators": 3}),
    ("sklearn.ensemble.GradientBoostingRegressor", {"n_estimators": 3, "loss": "huber"}),
]
MINKOWSKI = Candidate(estimator="sklearn.neighbors.KNeighborsRegressor", params={"p": 3})


@pytest.fixture
def rows(mixed):
    features = feature_columns(mixed.schema, [])
    signal = np.nan_to_num(mixed["number"].to_numpy())
    return features, to_frame(mixed, features), np.exp(signal)


@pytest.mark.parametrize(("name", "params"), STORED)
def test_what_passes_its_trial_is_stored_and_predicts_the_same(rows, tmp_path, name, params):
    features, X, y = rows
    assert (
        check_storable(Candidate(estimator=name, params=params), features, X, y, tmp_path) is None
    )

    pipeline = fit_pipeline(build_pipeline(make_estimator(name, params), features), X, y)
    save_pipeline(pipeline, tmp_path / "whole.skops")
    stored = load_pipeline(tmp_path / "whole.skops")
    np.testing.assert_array_equal(stored.predict(X), pipeline.predict(X))


def test_what_cannot_be_stored_is_refused_with_its_name_the_types_and_the_way_out(rows, tmp_path):
    words = (
        "^KNeighborsRegressor cannot be stored as its parameters are: .*"
        r"MinkowskiDistance64.*\. Choose other `params`, or another estimator\.$"
    )
    with pytest.raises(RequestError, match=words):
        check_storable(MINKOWSKI, *rows, tmp_path)


@pytest.mark.parametrize("error", [MemoryError, RecursionError, KeyError])
def test_whatever_storing_raises_is_a_refusal(rows, tmp_path, monkeypatch, error):
    def fail(*_):
        raise error("deep")

    monkeypatch.setattr(trial, "save_pipeline", fail)
    ridge = Candidate(estimator="sklearn.linear_model.Ridge")
    with pytest.raises(RequestError, match=r"Ridge cannot be stored .*deep"):
        check_storable(ridge, *rows, tmp_path)


def test_what_cannot_be_fitted_on_few_rows_is_left_to_the_fit_itself(rows, tmp_path):
    many = Candidate(
        estimator="sklearn.neighbors.KNeighborsRegressor", params={"n_neighbors": 300, "p": 3}
    )
    assert check_storable(many, *rows, tmp_path) is None
