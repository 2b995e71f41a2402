import numpy as np
import pytest

from tasks.core.evaluation.segment_gates import MIN_SEGMENT_ROWS, judge_segments
from tasks.core.spec.sections import SegmentGate


def test_a_segment_that_gets_much_worse_is_refused_and_one_of_few_rows_only_shown():
    sizes = {"big": 100, "small": MIN_SEGMENT_ROWS - 1, "fine": MIN_SEGMENT_ROWS}
    names = np.repeat(list(sizes), list(sizes.values()))
    champion = np.ones(len(names))
    challenger = np.where(names == "fine", 1.1, 2.0)

    allowed = SegmentGate(max_relative_loss=0.1001)
    gates = judge_segments(challenger, champion, names, allowed, "mae")

    passed = {gate.name: gate.passed for gate in gates}
    assert passed == {"segment big": False, "segment fine": True, "segment small": True}
    assert [gate.found for gate in gates] == pytest.approx([1.0, 0.1, 1.0])
    assert [gate.allowed for gate in gates] == [
        "at most +10.0%",
        "at most +10.0%",
        "too few rows to judge",
    ]
