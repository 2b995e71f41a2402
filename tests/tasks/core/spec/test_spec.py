import re

import pytest

from tasks.core.spec.file import load_spec
from tasks.core.spec.spec import Spec


def test_a_small_spec_has_the_defaults_of_its_problem(path):
    spec = load_spec(path)

    champion = spec.gates.champion
    assert champion.metric == "mae"
    assert champion.confidence == 0.95
    assert champion.margin == 0.01

    scoring = spec.scoring
    assert scoring.on_existing == "replace"
    assert scoring.proba is False
    assert scoring.keep == ()
    assert spec.candidates[0].name == "Ridge"


def test_the_metric_of_a_classification_is_log_loss(path):
    overrides = [
        "problem=classification",
        "candidates.0.estimator=sklearn.linear_model.LogisticRegression",
    ]
    spec = load_spec(path, overrides)

    assert spec.gates.champion.metric == "log_loss"


FIELDS = [
    ("name=", "name is None"),
    ("name=a b", "name is 'a b': .*pattern"),
    ("name=-a", "name is '-a'"),
    (f"name={'a' * 101}", "name is 'a"),
    ("problem=clasification", "problem is 'clasification': .*'regression' or 'classification'"),
    ("problem=[regression]", "problem is .'regression'.: .*'regression' or 'classification'"),
]
METRICS = [
    (
        "gates.limits={accuracy: {min: 1}}",
        "'accuracy' is not a metric of regression: use one of mae, rmse, r2",
    ),
    (
        "gates.champion.metric=r2",
        "'r2' has no loss for each row of a regression: use one of mae, rmse",
    ),
    ("gates.champion.metric=log_loss", "use one of mae, rmse"),
]
KEPT = [
    ("scoring.keep=[prediction]", "scoring.keep: column 'prediction' would occur twice"),
    ("scoring.keep=[a, a]", "scoring.keep: column 'a' would occur twice"),
]
MISTAKES = [*FIELDS, *METRICS, *KEPT]


@pytest.mark.parametrize(
    ("override", "words"), MISTAKES, ids=[override[:40] for override, _ in MISTAKES]
)
def test_a_mistake_names_the_field_and_what_it_may_be(refuse, override, words):
    message = refuse(override)

    assert re.search(words, message)


def test_a_spec_survives_json_and_does_not_change(path):
    limits = "gates.limits={rmse: {max: 9}, r2: {min: 0.5, max: 1}}"
    spec = load_spec(path, [limits, "candidates.0.params.alpha=2"])
    document = spec.model_dump(mode="json")

    assert Spec.model_validate(document) == spec
    with pytest.raises(ValueError, match="frozen"):
        spec.name = "other"
