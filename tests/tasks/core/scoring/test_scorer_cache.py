from dataclasses import replace
from types import SimpleNamespace

import pytest

from tasks.core.score_columns import ScoreColumns
from tasks.core.scoring.run import ScoringOptions
from tasks.core.scoring.scorer_cache import ScorerCache


class Opener:
    """Opens no model, and remembers which versions were asked for, in order."""

    def __init__(self):
        self.opened = []

    def __call__(self, version, rows, *, proba):
        self.opened.append((version.version, rows, proba))
        return SimpleNamespace(scorer=lambda columns: (version, columns))


@pytest.fixture
def opener():
    return Opener()


@pytest.fixture
def options(model):
    def make(version, **columns):
        digest = f"{version}" * 64
        named = replace(model, version=version, digest=digest)
        return ScoringOptions(named, ScoreColumns(**columns))

    return make


def test_two_versions_score_side_by_side_without_opening_either_again(opener, options):
    scorers = ScorerCache(2, opener)
    for _ in range(3):
        for version in (1, 2):
            assert scorers.get(options(version), None)[0].version == version
    assert [version for version, *_ in opener.opened] == [1, 2]


def test_the_scorer_that_was_used_longest_ago_is_let_go_first(opener, options):
    scorers = ScorerCache(2, opener)
    for version in (1, 2, 1, 3, 1, 2):
        scorers.get(options(version), None)
    assert [version for version, *_ in opener.opened] == [1, 2, 3, 2]


def test_equal_options_share_a_scorer_and_others_do_not(opener, options):
    scorers = ScorerCache(9, opener)
    for columns in ({}, {}, {"id": "a"}, {"id": "a"}, {"proba": True}, {"keep": ("b",)}):
        scorers.get(options(1, **columns), None)
    assert len(opener.opened) == 4


def test_short_cuts_are_tried_on_the_rows_only_where_they_pay(opener, options):
    scorers = ScorerCache(9, opener)
    plain = options(1, proba=True)
    scorers.get(plain, "rows")
    scorers.get(replace(plain, shortcuts=True), "rows")
    assert opener.opened == [(1, None, True), (1, "rows", True)]


def test_a_version_whose_alias_has_moved_is_not_opened_again(opener, options):
    scorers = ScorerCache(2, opener)
    before = options(1)
    promoted = replace(before.model, aliases=("champion",), promoted=True)
    assert scorers.get(before, None) is scorers.get(replace(before, model=promoted), None)
