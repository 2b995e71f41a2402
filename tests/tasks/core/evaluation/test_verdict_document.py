import json

from tasks.core.evaluation.verdict import Gate, Verdict, parse_verdict, verdict_document


def test_a_verdict_survives_json():
    gates = (Gate("a", True, 1.5, "at most 2", "fine"), Gate("b", False, None, "", "no row"))
    verdict = Verdict(gates, 7, 3)
    document = json.loads(json.dumps(verdict_document(verdict)))
    assert parse_verdict(document) == verdict
    assert document["passed"] is False
