import re

import pytest

from tasks.core.errors import RequestError
from tasks.core.spec.file import load_spec

DATA = [
    ("data=", "data is None"),
    ("data.target=3", "data.target is 3: .*string"),
    ("data.drop=a", "data.drop is 'a'"),
    ("data.drop=[y]", "`drop` holds the target 'y'"),
    ("data.id=y", "`id` and `target` are both 'y'"),
    ("data.time=y", "`time` and `target` are both 'y'"),
    ("data.segment=y", "`segment` and `target` are both 'y'"),
    (
        "data.source='in/{window:%Y}.csv'",
        "data.source: .* names a window, which only scoring.source and",
    ),
]
CANDIDATES = [
    ("candidates=[]", "candidates is .*at least 1"),
    ("candidates=Ridge", "candidates is 'Ridge'"),
]
GATES = [
    ("gates.limits={mae: {}}", "gates.limits.mae: a limit needs `min`, `max` or both"),
    ("gates.limits={mae: 60}", "gates.limits.mae is 60"),
    ("gates.limits={mae: {max: many}}", "gates.limits.mae.max is 'many': .*number"),
    ("gates.limits={mae: {min: 3, max: 1}}", "no figure is both at least 3 and at most 1"),
    ("gates.champion.confidence=1", "gates.champion.confidence is 1: .*less than 1"),
    ("gates.champion.confidence=0.5", "gates.champion.confidence is 0.5: .*greater than 0.5"),
    ("gates.champion.confidence=.nan", "gates.champion.confidence is nan"),
    ("gates.champion.margin=-0.1", "gates.champion.margin is -0.1"),
    ("gates.segments.max_relative_loss=-1", "gates.segments.max_relative_loss is -1"),
]
LATER = [
    (
        "search={trials: 3}",
        "search over parameters is not part of this version: give each candidate fixed `params`",
    ),
    (
        "candidates.0.search={}",
        "candidates.0: a search over parameters is not part of this version",
    ),
    ("schedules={train: '0 3 * * 1'}", "schedules in a spec are not part of this version"),
]
MISTAKES = [*DATA, *CANDIDATES, *GATES, *LATER]


@pytest.mark.parametrize(("override", "words"), MISTAKES, ids=[first for first, _ in MISTAKES])
def test_a_mistake_in_a_section_names_the_field_and_what_it_may_be(refuse, override, words):
    message = refuse(override)

    assert re.search(words, message)


def test_of_two_fields_of_a_later_version_the_search_is_named(path):
    path.write_text("search: {}\nschedules: {}\n")
    with pytest.raises(RequestError, match="a search over parameters is not part of this version"):
        load_spec(path)
