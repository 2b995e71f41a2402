import json
import math

import pytest

from tasks.core.evaluation.verdict import (
    Gate,
    Verdict,
    parse_verdict,
    read_verdict,
    verdict_document,
)

GOOD = Gate("a", passed=True, found=1.5, allowed="at most 2", reason="fine")
BAD = Gate("b", passed=False, found=None, allowed="", reason="too much")


def test_a_verdict_passes_when_every_gate_does_and_gives_the_reasons_of_the_others():
    good = Verdict((GOOD,), 5)
    assert (good.passed, good.reasons) == (True, [])

    mixed = Verdict((GOOD, BAD), 5)
    assert (mixed.passed, mixed.reasons) == (False, ["too much"])


def test_a_verdict_survives_json(tmp_path):
    verdict = Verdict((GOOD, BAD), 7, 3)
    document = json.loads(json.dumps(verdict_document(verdict)))
    assert parse_verdict(document) == verdict
    assert document["passed"] is False

    (tmp_path / "verdict.json").write_text(json.dumps(document))
    assert read_verdict(tmp_path) == verdict


@pytest.mark.parametrize("found", [math.nan, math.inf, -math.inf, None])
def test_what_json_has_no_number_for_is_written_as_null(found):
    gate = Gate("a", passed=False, found=found, allowed="", reason="")
    document = verdict_document(Verdict((gate,), 7))
    assert document["gates"][0]["found"] is None
    assert json.dumps(document, allow_nan=False)
