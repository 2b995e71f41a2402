import json

from tasks.core.results import parse_verdict, verdict_document
from tasks.core.verdict import Gate, Verdict


def test_a_verdict_survives_json():
    gates = (Gate("a", True, 1.5, "at most 2", "fine"), Gate("b", False, None, "", "no row"))
    verdict = Verdict(gates, 7, 3)
    document = json.loads(json.dumps(verdict_document(verdict)))
    assert parse_verdict(document) == verdict
    assert document["passed"] is False
