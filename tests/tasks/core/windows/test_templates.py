from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tasks.core.windows.templates import check_distinct, check_template, fill, has_window
from tasks.core.windows.window import Window, parse_length

KATHMANDU = ZoneInfo("Asia/Kathmandu")
START = datetime(2024, 12, 30, 6, 5, tzinfo=UTC)
END = datetime(2024, 12, 30, 6, 20, tzinfo=UTC)
NEW_YEAR = Window(START, END)
NEW_YEAR_IN_KATHMANDU = Window(START.astimezone(KATHMANDU), END.astimezone(KATHMANDU))


@pytest.mark.parametrize(
    ("template", "windowed", "filled"),
    [
        ("in/{window:%Y-%m-%d}/*.parquet", True, "in/2024-12-30/*.parquet"),
        ("in/{window:%Y/%m/%d/%H}", True, "in/2024/12/30/06"),
        ("{window:%Y}/{window:%j}.csv", True, "2024/365.csv"),
        ("{window:%G-W%V-%u}", True, "2025-W01-1"),
        ("{window:%y%m%dT%H%M%S}", True, "241230T060500"),
        ("{window:100%%}", True, "100%"),
        ("{window:%H:%M}", True, "06:05"),
        ("in/{date}/{windows}/{{x}}/%Y", False, "in/{date}/{windows}/{{x}}/%Y"),
        ("", False, ""),
    ],
)
def test_a_window_is_filled_in_and_other_braces_stay(template, windowed, filled):
    check_template(template)

    assert has_window(template) is windowed
    assert fill(template, NEW_YEAR) == filled
    assert fill(template, NEW_YEAR_IN_KATHMANDU) == filled


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (
            "out/{window}",
            "'out/{window}' names a window without a format: write it as {window:%Y-%m-%d}",
        ),
        ("out/{window:}", "without a format"),
        ("out/{window:%Y", "without a format"),
        ("out/{window", "without a format"),
        ("{window:%Y}/{window}", "without a format"),
        ("{window:%B}", "holds %B: a window is written with %Y, %y, %m"),
        ("{window:%s}", "holds %s"),
        ("{window:%Z}", "holds %Z"),
        ("{window:%-d}", "holds %-"),
        ("{window:%Y%}", "holds %:"),
    ],
)
def test_a_window_that_cannot_be_filled_in_everywhere_alike_is_refused(template, words):
    assert has_window(template)
    with pytest.raises(ValueError, match=words):
        check_template(template)


@pytest.mark.parametrize(
    ("length", "fine", "coarse"),
    [
        ("1m", "{window:%Y-%m-%dT%H%M}", "{window:%Y-%m-%dT%H}"),
        ("1m", "{window:%Y%j%H%M}", "{window:%Y-%m}"),
        ("15m", "{window:%Y/%m/%d}/{window:%H%M}", "{window:%Y/%m/%d}/{window:%M}"),
        ("7m", "{window:%Y-%m-%dT%H%M}", "{window:%Y-%m-%d-%M}"),
        ("1h", "{window:%Y-%m-%d/%H}", "{window:%Y-%m-%d}"),
        ("1h", "{window:%y%m%d%H}", "{window:%H}"),
        ("12h", "{window:%Y-%j-%H}", "{window:%j-%H}"),
        ("1d", "{window:%Y-%m-%d}", "{window:%Y-%m}"),
        ("1d", "{window:%Y%m%d}", "{window:%m-%d}"),
        ("1d", "{window:%Y-%j}", "{window:%Y-%d}"),
        ("1d", "{window:%G-W%V-%u}", "{window:%G-%m-%d}"),
        ("1w", "{window:%G-W%V}", "{window:%Y-W%V}"),
        ("30d", "{window:%Y-%m-%d}", "{window:%Y-%m}"),
        ("366d", "{window:%Y-%m-%d}", "{window:%j}"),
        ("1d", "scores-{window:%Y-%m-%d}", "scores-{window:today}"),
    ],
)
def test_a_template_must_give_each_window_a_name_of_its_own(length, fine, coarse):
    size = parse_length(length)
    check_distinct(fine, size)

    words = rf"' both for .*Z and for .*Z: windows of {length} need .*{{window:%Y-%m-%d"
    with pytest.raises(ValueError, match=words):
        check_distinct(coarse, size)
