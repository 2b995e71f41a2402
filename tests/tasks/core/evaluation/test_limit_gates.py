import math

import pytest

from tasks.core.evaluation.limit_gates import judge_limits
from tasks.core.spec.sections import Limit


@pytest.mark.parametrize(
    ("found", "limit", "passed", "allowed"),
    [
        (60.0, {"max": 60}, True, "at most 60"),
        (60.1, {"max": 60}, False, "at most 60"),
        (0.9, {"min": 0.9}, True, "at least 0.9"),
        (0.89, {"min": 0.9}, False, "at least 0.9"),
        (0.5, {"min": 0.1, "max": 0.9}, True, "at least 0.1 and at most 0.9"),
        (0.95, {"min": 0.1, "max": 0.9}, False, "at least 0.1 and at most 0.9"),
        (0.0, {"min": 0.0, "max": 0.0}, True, "at least 0 and at most 0"),
        (-1.0, {"max": 0}, True, "at most 0"),
        (math.nan, {"max": 60}, False, "at most 60"),
        (math.nan, {"min": -1e300}, False, "at least -1e+300"),
        (math.inf, {"max": 60}, False, "at most 60"),
        (None, {"max": 60}, False, "at most 60"),
    ],
)
def test_a_metric_must_be_a_number_within_its_limits(found, limit, passed, allowed):
    """A metric that is missing is as good as one that is not a number."""
    metrics = {} if found is None else {"mae": found}
    (gate,) = judge_limits(metrics, {"mae": Limit(**limit)})
    assert (gate.name, gate.passed, gate.allowed) == ("limit of mae", passed, allowed)
    assert gate.reason.endswith(f"allowed is {allowed}")
