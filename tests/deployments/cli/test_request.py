"""The spec that a command is given."""

import pytest

from deployments.cli.request import load_request
from tasks.core.errors import RequestError

SMALL = """\
name: small
problem: regression
data: {source: small.csv, target: y}
candidates:
  - estimator: sklearn.linear_model.Ridge
"""


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (
            "candidates.0.estimator=sklearn.linear_model.Rigde",
            r"candidates\.0: .*mean sklearn\.\w+\.Ridge.*\?$",
        ),
        (
            "candidates.0.estimator=xgboost.XGBRegressor",
            r"candidates\.0: .*not a scikit-learn estimator.*\.$",
        ),
        (
            "candidates.0.estimator=sklearn.svm.SVC",
            r"candidates\.0: sklearn\.svm\.SVC is not for regression\.$",
        ),
        (
            "candidates.0.params.alhpa=1",
            r"candidates\.0: .*no parameter 'alhpa': it has alpha.*\.$",
        ),
        (
            "scoring.proba=true",
            r"scoring\.proba: sklearn\.\w+\.Ridge gives no probabilities: set it to false\.$",
        ),
        ("data.target=3", r"data\.target is 3: .*string\.$"),
    ],
)
def test_a_spec_that_cannot_be_trained_is_refused_with_its_file_and_field(
    tmp_path, override, words
):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    with pytest.raises(RequestError, match=words) as refused:
        load_request(path, [override])
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)
