import pytest

from tasks.core.training.key import identify_training


@pytest.mark.parametrize(
    ("sections", "same"),
    [
        ({}, True),
        ({"scoring": {"source": "/elsewhere", "output": "/out", "proba": False}}, True),
        ({"name": "other"}, False),
        ({"data": {"source": "/in/small.csv", "target": "y", "drop": ["x"]}}, False),
        (
            {"candidates": [{"estimator": "sklearn.linear_model.Ridge", "params": {"alpha": 2}}]},
            False,
        ),
        ({"gates": {"limits": {"mae": {"max": 3}}}}, False),
    ],
)
def test_the_training_key_depends_on_the_part_of_the_spec_that_trains(make_spec, sections, same):
    key = identify_training(make_spec(), "s")
    assert (identify_training(make_spec(**sections), "s") == key) is same


def test_the_training_key_depends_on_the_source_and_on_a_model_fitted_elsewhere(make_spec):
    spec = make_spec()
    given = [("s", ""), ("t", ""), ("s", "m"), ("t", "m")]
    keys = {identify_training(spec, source, model) for source, model in given}
    assert len(keys) == len(given)
