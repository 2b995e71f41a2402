from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.errors import RequestError
from tasks.core.spec.scoring import Scoring, fill_scoring
from tasks.core.windows.templates import check_distinct, check_template, fill, has_window
from tasks.core.windows.window import (
    Window,
    length_name,
    parse_length,
    parse_timestamp,
    previous_window,
    timestamp_name,
    window_name,
    windows_between,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LENGTHS = st.sampled_from(
    ["1m", "7m", "15m", "1h", "5h", "12h", "1d", "3d", "1w", "2w", "366d"]
).map(parse_length)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as it asks


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1m", timedelta(minutes=1)),
        ("15m", timedelta(minutes=15)),
        ("1h", HOUR),
        ("12h", timedelta(hours=12)),
        ("1d", DAY),
        ("1w", timedelta(days=7)),
        ("366d", timedelta(days=366)),
    ],
)
def test_a_length_is_a_number_and_a_unit_and_is_written_as_it_was_read(text, length):
    assert parse_length(text) == length
    assert length_name(length) == text


@pytest.mark.parametrize(
    "text",
    ["", "d", "1", "0d", "01d", "-1d", "1.5h", "1 d", "1D", "1M", "1mo", "1 month", "1y", "1s", "1d ", "1d\n", "٣d",
     "367d", "53w", "999999h", "9999999m"],
)  # fmt: skip
def test_what_is_no_length_is_refused_with_what_a_length_is(text):
    with pytest.raises(
        ValueError, match=r"no length of a window: write .* m \(minutes\).*months are not supported"
    ) as no:
        parse_length(text)
    assert str(no.value).startswith(repr(text))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", "2026-01-31T00:00"),
        ("2024-02-29", "2024-02-29T00:00"),
        ("2026-01-31T06:00", "2026-01-31T06:00"),
        ("2026-01-31 06:00", "2026-01-31T06:00"),
        ("2026-01-31T06:00Z", "2026-01-31T06:00"),
        ("2026-01-31T06:00:07.25+00:00", "2026-01-31T06:00:07.250"),
        ("2026-01-31T00:00-0800", "2026-01-31T08:00"),
        # Kathmandu is 5 h 45 min ahead, and was 5 h 30 min until 1986.
        ("2026-01-31T05:45+05:45", "2026-01-31T00:00"),
        ("2026-01-31T00:00+05:45", "2026-01-30T18:15"),
        ("1985-12-31T05:30+05:30", "1985-12-31T00:00"),
        # Berlin: 02:00 to 03:00 is skipped in March, and comes twice in October.
        ("2026-03-29T01:59+01:00", "2026-03-29T00:59"),
        ("2026-03-29T03:00+02:00", "2026-03-29T01:00"),
        ("2026-10-25T02:30+02:00", "2026-10-25T00:30"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30"),
        ("2026-03-29T02:30", "2026-03-29T02:30"),
    ],
)
def test_a_moment_is_utc_unless_it_says_otherwise(text, moment):
    found = parse_timestamp(text, "--from")
    assert (found, found.tzinfo) == (utc(moment), UTC)


@pytest.mark.parametrize(
    "text",
    ["", "now", "yesterday", "2026", "2026-01", "31.01.2026", "20260131", "2026-1-31", "2026-02-29", "2026-13-01",
     "2026-01-31T24:30", "2026-01-31T6:00", "2026-01-31T06", "2026-01-31-06:00", "2026-01-31+05:45",
     "2026-01-31T06:00 CET", "2026-01-31T06:00+25:00", "2026-01-31\n", "1899-12-31", "3000-01-01", "1769842800"],
)  # fmt: skip
def test_what_is_no_moment_is_refused_with_the_option_named(text):
    with pytest.raises(
        RequestError, match=r"write a date such as 2026-01-31 or a time .* offset such as \+05:45"
    ) as no:
        parse_timestamp(text, "--to")
    assert str(no.value).startswith(f"--to is {text!r}: ")


@pytest.mark.parametrize(
    ("start", "end", "length", "names"),
    [
        ("2026-01-31", "2026-02-01", "1d", ["2026-01-31T00:00Z/2026-02-01T00:00Z"]),
        (
            "2024-02-28",
            "2024-03-01",
            "1d",
            ["2024-02-28T00:00Z/2024-02-29T00:00Z", "2024-02-29T00:00Z/2024-03-01T00:00Z"],
        ),
        ("2026-01-31T23:45", "2026-02-01", "15m", ["2026-01-31T23:45Z/2026-02-01T00:00Z"]),
        ("2026-01-31T12:00", "2026-02-01", "12h", ["2026-01-31T12:00Z/2026-02-01T00:00Z"]),
        ("2026-01-05", "2026-01-12", "1w", ["2026-01-05T00:00Z/2026-01-12T00:00Z"]),
        ("2026-01-05", "2026-01-12", "7d", ["2026-01-05T00:00Z/2026-01-12T00:00Z"]),
        ("1969-12-31", "1970-01-01", "1d", ["1969-12-31T00:00Z/1970-01-01T00:00Z"]),
    ],
)
def test_windows_lie_side_by_side_from_the_first_moment_up_to_the_second(start, end, length, names):
    assert [
        window_name(window)
        for window in windows_between(utc(start), utc(end), parse_length(length))
    ] == names


@pytest.mark.parametrize("night", ["2026-03-29", "2026-10-25"])
def test_a_day_has_24_hours_on_the_nights_when_clocks_change(night):
    berlin = ZoneInfo("Europe/Berlin")
    start, end = utc(night).astimezone(berlin), (utc(night) + DAY).astimezone(berlin)
    windows = windows_between(start, end, HOUR)
    assert [fill("{window:%d %H}", window) for window in windows] == [
        f"{night[-2:]} {hour:02d}" for hour in range(24)
    ]
    assert [previous_window(window.end.astimezone(berlin), HOUR) for window in windows] == list(
        windows
    )


@pytest.mark.parametrize(
    ("start", "end", "length", "words"),
    [
        (
            "2026-01-31",
            "2026-01-31",
            "1d",
            "--from 2026-01-31T00:00Z is not before --to .* earliest 2026-02-01T00:00Z",
        ),
        (
            "2026-02-02",
            "2026-01-31",
            "1d",
            "--from 2026-02-02T00:00Z is not before --to 2026-01-31T00:00Z",
        ),
        (
            "2026-01-31T06:00",
            "2026-02-02",
            "1d",
            "--from 2026-01-31T06:00Z is not where a window of 1d starts: use 2026-01-31T00:00Z or 2026-02-01T00:00Z",
        ),
        (
            "2026-01-31",
            "2026-02-02T00:20",
            "15m",
            "--to 2026-02-02T00:20Z .*: use 2026-02-02T00:15Z or 2026-02-02T00:30Z",
        ),
        (
            "2026-01-31T00:00:01",
            "2026-02-02",
            "1h",
            "--from 2026-01-31T00:00:01Z is not where a window of 1h starts",
        ),
        (
            "2026-01-31",
            "2026-02-09",
            "1w",
            "window of 1w starts: use 2026-01-26T00:00Z or 2026-02-02T00:00Z",
        ),
        (
            "2026-01-01",
            "2026-01-07T22:41",
            "1m",
            "there are 10,001 windows of 1m, and one backfill takes at most 10,000: .* --to 2026-01-07T22:40Z",
        ),
    ],
)
def test_a_backfill_that_would_cut_a_window_off_is_refused_with_the_moments_beside_it(
    start, end, length, words
):
    with pytest.raises(RequestError, match=words):
        windows_between(utc(start), utc(end), parse_length(length))


def test_ten_thousand_windows_are_not_too_many():
    assert (
        len(windows_between(utc("2026-01-01"), utc("2026-01-07T22:40"), timedelta(minutes=1)))
        == 10_000
    )


@given(MOMENTS, LENGTHS, st.integers(1, 40))
def test_windows_cover_their_stretch_once(moment, length, count):
    start = previous_window(moment, length).start
    windows = windows_between(start, start + count * length, length)
    assert [window.start for window in windows] + [windows[-1].end] == [
        start,
        *(window.end for window in windows),
    ]
    assert {window.end - window.start for window in windows} == {length}
    assert len(windows) == count


@given(MOMENTS, LENGTHS)
def test_the_previous_window_is_over_and_the_next_is_not(moment, length):
    window = previous_window(moment, length)
    assert window.end <= moment < window.end + length
    assert windows_between(window.start, window.end, length) == (window,)


@pytest.mark.parametrize(
    ("moment", "length", "name"),
    [
        ("2026-02-01T00:00", "1d", "2026-01-31T00:00Z/2026-02-01T00:00Z"),
        ("2026-01-31T23:59:59.999999", "1d", "2026-01-30T00:00Z/2026-01-31T00:00Z"),
        ("2026-01-05T00:00", "1w", "2025-12-29T00:00Z/2026-01-05T00:00Z"),
        ("2026-01-04T23:59", "1w", "2025-12-22T00:00Z/2025-12-29T00:00Z"),
    ],
)
def test_a_window_that_ends_at_the_moment_is_over(moment, length, name):
    assert window_name(previous_window(utc(moment), parse_length(length))) == name


@given(MOMENTS)
def test_the_name_of_a_moment_reads_back(moment):
    assert parse_timestamp(timestamp_name(moment), "--from") == moment


NEW_YEAR = Window(utc("2024-12-30T06:05"), utc("2024-12-30T06:20"))


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
    kathmandu = ZoneInfo("Asia/Kathmandu")
    assert (
        fill(
            template,
            Window(NEW_YEAR.start.astimezone(kathmandu), NEW_YEAR.end.astimezone(kathmandu)),
        )
        == filled
    )


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
    check_distinct(fine, parse_length(length))
    with pytest.raises(
        ValueError,
        match=rf"' both for .*Z and for .*Z: windows of {length} need .*{{window:%Y-%m-%d",
    ):
        check_distinct(coarse, parse_length(length))


def test_a_filled_scoring_is_one_without_windows_and_leaves_the_first_alone():
    scoring = Scoring(
        source="/in/{window:%Y-%m-%d}", output="/out/{window:%Y-%m-%d}", window="1d", keep=("a",)
    )
    filled = fill_scoring(scoring, Window(utc("2026-01-31"), utc("2026-02-01")))
    assert filled == Scoring(source="/in/2026-01-31", output="/out/2026-01-31", keep=("a",))
    assert (scoring.window, scoring.source) == ("1d", "/in/{window:%Y-%m-%d}")
