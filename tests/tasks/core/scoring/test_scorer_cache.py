from dataclasses import replace

import pytest

from tasks.core.score_columns import ScoreColumns
from tasks.core.scoring import scorer_cache
from tasks.core.scoring.run import ScoringOptions
from tasks.core.scoring.scorer_cache import ScorerCache


@pytest.fixture
def opened(monkeypatch):
    """The versions that are opened, in order; no model is."""
    versions = []

    class Opened:
        def __init__(self, version):
            self.version = version

        def scorer(self, columns):
            return self.version, columns

    def open_model(version, rows, *, proba):
        versions.append((version.version, rows, proba))
        return Opened(version)

    monkeypatch.setattr(scorer_cache, "open_model", open_model)
    return versions


@pytest.fixture
def options(model):
    def make(version, **columns):
        return ScoringOptions(replace(model, version=version), ScoreColumns(**columns))

    return make


def test_two_versions_score_side_by_side_without_opening_either_again(opened, options):
    scorers = ScorerCache(size=2)
    for _ in range(3):
        for version in (1, 2):
            assert scorers.get(options(version), None)[0].version == version
    assert [version for version, *_ in opened] == [1, 2]


def test_the_scorer_that_was_used_longest_ago_is_let_go_first(opened, options):
    scorers = ScorerCache(size=2)
    for version in (1, 2, 1, 3, 1, 2):
        scorers.get(options(version), None)
    assert [version for version, *_ in opened] == [1, 2, 3, 2]


def test_equal_options_share_a_scorer_and_others_do_not(opened, options):
    scorers = ScorerCache(size=9)
    for columns in ({}, {}, {"id": "a"}, {"id": "a"}, {"proba": True}, {"keep": ("b",)}):
        scorers.get(options(1, **columns), None)
    assert len(opened) == 4


def test_short_cuts_are_tried_on_the_rows_only_where_they_pay(opened, options):
    scorers = ScorerCache(size=9)
    plain = options(1, proba=True)
    scorers.get(plain, "rows")
    scorers.get(replace(plain, shortcuts=True), "rows")
    assert opened == [(1, None, True), (1, "rows", True)]
