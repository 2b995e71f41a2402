import re
from datetime import UTC, datetime

import pytest

from tasks.core.spec.scoring import Scoring, fill_scoring
from tasks.core.windows.window import Window

FIELDS = [
    ("scoring=", "scoring is None"),
    ("scoring.on_existing=append", "scoring.on_existing is 'append': .*'replace' or 'refuse'"),
    ("scoring.proba=maybe", "scoring.proba is 'maybe'"),
    ("scoring.max_bad_rows=-1", "scoring.max_bad_rows is -1: .*greater than or equal to 0"),
    ("scoring.max_bad_rows=1.5", "scoring.max_bad_rows: 1.5 is neither a whole number of rows nor"),
]
LENGTHS = [
    (
        "scoring.window=1M",
        "scoring.window: '1M' is no length of a window: .* 1d or 15m, .*months are not supported",
    ),
    ("scoring.window=60", "scoring.window: '60' is no length of a window"),
    ("scoring.window=[1d]", "scoring.window: .* is no length of a window"),
]
NAMES = [
    (
        "scoring.window=1d",
        "scoring: `window` is '1d', and neither `source` nor `output` names a window: leave it out",
    ),
    (
        "scoring.source='in/{window:%Y}.csv'",
        "scoring: `source` is 'in/{window:%Y}.csv' and there is no `window`: give",
    ),
    (
        "scoring.output='out/{window:%j}'",
        "scoring: `output` is 'out/{window:%j}' and there is no `window`: give",
    ),
    (
        "scoring.output='out/{window}'",
        "scoring.output: .* without a format: write it as {window:%Y-%m-%d}",
    ),
    (
        "scoring.source='in/{window:%B}'",
        "scoring.source: .* holds %B: a window is written with %Y, .*%H",
    ),
    (
        "scoring={window: 1d, source: '{window:%Y-%m-%d}'}",
        "scoring: `output` is 'scores', where each .* name the window",
    ),
    (
        "scoring={window: 1h, output: 'o/{window:%Y-%m-%d}'}",
        "scoring: `output`: .* 1h need .*{window:%Y-%m-%dT%H}",
    ),
    (
        "scoring={window: 1h, output: '{window:%Y%m%d%H}', source: '{window:%H}'}",
        (
            "scoring: `source`: '{window:%H}' is '00' both for 2023-12-25T00:00Z/.* "
            "and for 2023-12-26T00:00Z/"
        ),
    ),
]
MISTAKES = [*FIELDS, *LENGTHS, *NAMES]


@pytest.mark.parametrize(("override", "words"), MISTAKES, ids=[first for first, _ in MISTAKES])
def test_a_mistake_about_scoring_names_the_field_and_what_it_may_be(refuse, override, words):
    message = refuse(override)

    assert re.search(words, message)


def test_a_filled_scoring_is_one_without_windows_and_leaves_the_first_alone():
    template = "{window:%Y-%m-%d}"
    scoring = Scoring(source=f"/in/{template}", output=f"/out/{template}", window="1d", keep=("a",))
    day = Window(datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    filled = fill_scoring(scoring, day)

    assert filled == Scoring(source="/in/2026-01-31", output="/out/2026-01-31", keep=("a",))
    assert scoring.window == "1d"
    assert scoring.source == "/in/{window:%Y-%m-%d}"
