import re

import pytest

from tasks.core.spec.overrides import apply_override


def test_overrides_apply_in_turn_and_leave_the_document_alone():
    document = {"data": {"target": "y", "drop": ["a"]}}
    changed = apply_override(document, "data.drop.0=b")
    changed = apply_override(changed, "data.target=z")

    assert changed == {"data": {"target": "z", "drop": ["b"]}}
    assert document == {"data": {"target": "y", "drop": ["a"]}}


MISTAKES = [
    ("data.target", "--set data.target: write it as FIELD=VALUE"),
    ("=3", "--set =3: write it as FIELD=VALUE"),
    ("data..target=3", "write it as FIELD=VALUE"),
    ("data.target=[", "is not YAML"),
    ("candidates.1.estimator=x", "'1' is not a position in a list of 1, counted from 0"),
    ("candidates.first.estimator=x", "'first' is not a position in a list of 1"),
    ("name.first=x", "'first' would be a field of 'small', which has none"),
]


@pytest.mark.parametrize(("override", "words"), MISTAKES, ids=[first for first, _ in MISTAKES])
def test_an_override_that_sets_no_field_is_refused_in_one_sentence(refuse, override, words):
    message = refuse(override)

    assert message.startswith(f"--set {override}: ")
    assert re.search(words, message)
