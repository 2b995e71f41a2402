import json
import math

import pytest

from tasks.core.errors import RequestError
from tasks.core.evaluation.verdict import (
    VERDICT_NAME,
    Gate,
    Verdict,
    parse_verdict,
    read_verdict,
    verdict_document,
    with_evidence,
)
from tasks.core.model.version import ModelVersion
from tasks.core.storage.digests import folder_digest

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

    (tmp_path / VERDICT_NAME).write_text(json.dumps(document))
    version = ModelVersion("bike", 1, folder_digest(tmp_path), folder=str(tmp_path))
    assert read_verdict(version) == verdict


@pytest.mark.parametrize("found", [math.nan, math.inf, -math.inf, None])
def test_what_json_has_no_number_for_is_written_as_null(found):
    gate = Gate("a", passed=False, found=found, allowed="", reason="")
    document = verdict_document(Verdict((gate,), 7))
    assert document["gates"][0]["found"] is None
    assert json.dumps(document, allow_nan=False)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"{", b'{"passed": true}', b"[" * 100_000, b"\xff", b"null"]
)
def test_what_is_no_verdict_says_of_no_version_that_it_passed(tmp_path, content):
    (tmp_path / VERDICT_NAME).write_bytes(content)
    version = ModelVersion("bike", 1, folder_digest(tmp_path), folder=str(tmp_path))

    assert with_evidence(version, content) == version
    with pytest.raises(RequestError, match="bike version 1 has no verdict that can be read"):
        read_verdict(version)


def found_in(said):
    """Return a version with a verdict whose only gate says this."""
    gate = {"name": "a", "passed": said, "found": 1, "allowed": "", "reason": ""}
    document = {"passed": True, "gates": [gate], "rows": 5, "rows_seen_by_champion": 0}
    document |= {"judged_against": 3, "training_key": "5f"}
    return with_evidence(ModelVersion("bike", 4, "d"), json.dumps(document).encode())


@pytest.mark.parametrize("passed", [True, False])
def test_what_stands_with_a_version_says_whether_it_passed_and_against_whom(passed):
    expected = ModelVersion("bike", 4, "d", passed, judged_against=3, training_key="5f")
    assert found_in(passed) == expected


@pytest.mark.parametrize("said", ["False", "True", 1, None, [0]])
def test_a_gate_that_says_neither_true_nor_false_lets_no_version_pass(said):
    assert found_in(said) == ModelVersion("bike", 4, "d")
