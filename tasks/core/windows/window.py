"""Windows: the stretches of time that runs are about, and the names they give to sources and
outputs.

Everything here is UTC: a day has 24 hours on the nights when clocks change, too.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tasks.core.errors import RequestError

UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
LONGEST = timedelta(days=366)
MOST_WINDOWS = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
TIMESTAMP = re.compile(
    r"(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


@dataclass(frozen=True)
class Window:
    """The time from `start` up to, and without, `end`; both UTC."""

    start: datetime
    end: datetime


def parse_length(text: str) -> timedelta:
    """Read the length of a window.

    >>> parse_length("12h")
    datetime.timedelta(seconds=43200)

    Raises:
        ValueError: it is no such length.
    """
    found = re.fullmatch("([1-9][0-9]{0,5})([mhdw])", text)
    length = int(found[1]) * UNITS[found[2]] if found else None
    if length is None or length > LONGEST:
        raise ValueError(
            f"{text!r} is no length of a window: write a whole number and one of m (minutes), h (hours), d (days) and "
            "w (weeks), such as 1d or 15m, up to 366d; months are not supported, as they differ in length"
        )
    return length


def length_name(length: timedelta) -> str:
    """Write a length as a spec does, in the largest unit.

    >>> length_name(timedelta(hours=36)), length_name(timedelta(days=7))
    ('36h', '1w')
    """
    unit = next(unit for unit in ("w", "d", "h", "m") if not length % UNITS[unit])
    return f"{length // UNITS[unit]}{unit}"


def parse_timestamp(text: str, option: str) -> datetime:
    """Read a moment; without an offset it is UTC.

    >>> parse_timestamp("2026-01-31T05:45+05:45", "--from")
    datetime.datetime(2026, 1, 31, 0, 0, tzinfo=datetime.timezone.utc)

    Raises:
        RequestError: it is no moment; `option` is named as where it came from.
    """
    try:
        # `fromisoformat` alone takes any letter before the time: 2026-01-31-06:00 would be six
        # o'clock.
        moment = datetime.fromisoformat(text) if TIMESTAMP.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise RequestError(
            f"{option} is {text!r}: write a date such as 2026-01-31 or a time such as 2026-01-31T06:00, from 1900 to "
            "2999, which is UTC unless it ends in an offset such as +05:45."
        )
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def timestamp_name(moment: datetime) -> str:
    """Write a moment.

    >>> timestamp_name(datetime(2026, 1, 31, 6, tzinfo=UTC))
    '2026-01-31T06:00Z'
    """
    whole = moment.second == moment.microsecond == 0
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='minutes' if whole else 'auto')}Z"


def window_name(window: Window) -> str:
    """Write a window as an ISO 8601 interval.

    >>> window_name(previous_window(datetime(2026, 2, 1, tzinfo=UTC), timedelta(days=1)))
    '2026-01-31T00:00Z/2026-02-01T00:00Z'
    """
    return f"{timestamp_name(window.start)}/{timestamp_name(window.end)}"


def windows_between(start: datetime, end: datetime, length: timedelta) -> tuple[Window, ...]:
    """List the windows from `start` up to `end`, both of which must be where a window starts.

    Windows are counted from 1970-01-01T00:00Z; those of whole weeks start on Mondays.

    >>> [window_name(window) for window in windows_between(EPOCH, EPOCH + timedelta(days=2), timedelta(days=1))]
    ['1970-01-01T00:00Z/1970-01-02T00:00Z', '1970-01-02T00:00Z/1970-01-03T00:00Z']

    Raises:
        RequestError: there are none or too many, or one of them would be cut off.
    """
    # Python takes two times of one zone apart by the clock on the wall: 23 hours are 24 when it is
    # put forward.
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start >= end:
        raise RequestError(
            f"--from {timestamp_name(start)} is not before --to {timestamp_name(end)}: --to is where the last window ends, "
            f"at the earliest {timestamp_name(latest_start(start, length) + length)}."
        )
    _check_start("--from", start, length)
    _check_start("--to", end, length)
    count = (end - start) // length
    if count > MOST_WINDOWS:
        raise RequestError(
            f"From {timestamp_name(start)} to {timestamp_name(end)} there are {count:,} windows of {length_name(length)}, "
            f"and one backfill takes at most {MOST_WINDOWS:,}: end the first with --to "
            f"{timestamp_name(start + MOST_WINDOWS * length)}."
        )
    return tuple(
        Window(start + number * length, start + (number + 1) * length) for number in range(count)
    )


def _check_start(option: str, moment: datetime, length: timedelta) -> None:
    start = latest_start(moment, length)
    if start != moment:
        raise RequestError(
            f"{option} {timestamp_name(moment)} is not where a window of {length_name(length)} starts: use "
            f"{timestamp_name(start)} or {timestamp_name(start + length)}."
        )


def previous_window(moment: datetime, length: timedelta) -> Window:
    """Give the newest window that is over at a moment: what a scheduled run is about.

    >>> window_name(previous_window(datetime(2026, 1, 31, 6, 5, tzinfo=UTC), timedelta(hours=1)))
    '2026-01-31T05:00Z/2026-01-31T06:00Z'
    """
    end = latest_start(moment, length)
    return Window(end - length, end)


def latest_start(moment: datetime, length: timedelta) -> datetime:
    """Give the last start of a window at or before a moment."""
    origin = EPOCH if length % UNITS["w"] else FIRST_MONDAY
    return origin + (moment - origin) // length * length
