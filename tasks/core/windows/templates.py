"""Templates: names of sources and outputs that hold a window."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache

from tasks.core.windows.window import UNITS, Window, latest_start, length_name, window_name

MARK = re.compile(r"\{window([:}]|$)")
FIELD = re.compile(r"\{window:([^{}]+)\}")
# Names of days and months change with the locale of a machine, and %s with its time zone.
DIRECTIVES = ("%Y", "%y", "%m", "%d", "%j", "%H", "%M", "%S", "%G", "%V", "%u", "%%")
# By the unit of their length: a format that tells windows apart.
ENOUGH = {
    "w": "{window:%Y-%m-%d}",
    "d": "{window:%Y-%m-%d}",
    "h": "{window:%Y-%m-%dT%H}",
    "m": "{window:%Y-%m-%dT%H%M}",
}
# Four years in which the ISO year begins before, with and after the calendar's.
SAMPLED_FROM = datetime(2023, 12, 25, tzinfo=UTC)
SAMPLED_HOURS = 50
SAMPLED_DAYS = 1500
SAMPLED_WINDOWS = 500


def has_window(text: str) -> bool:
    """Return whether a source or an output names a window; other braces mean nothing.

    >>> has_window("in/{window:%Y-%m-%d}/*.csv"), has_window("in/{date}")
    (True, False)
    """
    return MARK.search(text) is not None


def fill(template: str, window: Window) -> str:
    """Replace every {window:FORMAT} by the start of a window.

    >>> day = Window(datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    >>> fill("in/{window:%Y}/{window:%m-%d}.csv", day)
    'in/2026/01-31.csv'
    """
    start = window.start.astimezone(UTC)
    return FIELD.sub(lambda field: start.strftime(field[1]), template)


def check_template(template: str) -> None:
    """Refuse a window that cannot be filled in.

    Raises:
        ValueError: a window has no format, or one whose outcome depends on the machine.
    """
    formats = FIELD.findall(template)
    if len(formats) != len(MARK.findall(template)):
        raise ValueError(f"{template!r} names a window without a format: write it as {ENOUGH['d']}")

    for format_ in formats:
        for directive in re.findall("%.?", format_):
            if directive not in DIRECTIVES:
                allowed = ", ".join(DIRECTIVES)
                raise ValueError(
                    f"{template!r} holds {directive}: a window is written with {allowed}"
                )


@cache
def check_distinct(template: str, length: timedelta) -> None:
    """Refuse a template that gives two windows one name.

    Raises:
        ValueError: it does so for one of many windows in several years.
    """
    seen: dict[str, Window] = {}
    for window in _sample_windows(length):
        name = fill(template, window)
        if name in seen:
            size = length_name(length)
            raise ValueError(
                f"{template!r} is {name!r} both for {window_name(seen[name])} and for "
                f"{window_name(window)}: windows of {size} need a format such as "
                f"{ENOUGH[size[-1]]}"
            )
        seen[name] = window


def _sample_windows(length: timedelta) -> list[Window]:
    """List windows that follow each other, and those at whole hours and at whole days.

    Names come back after such times: %H after a day, %m-%d after a year.
    """
    samples = (
        (UNITS["h"], SAMPLED_HOURS),
        (UNITS["d"], SAMPLED_DAYS),
        (length, SAMPLED_WINDOWS),
    )
    starts: set[datetime] = set()
    for step, count in samples:
        timestamps = (SAMPLED_FROM + number * step for number in range(count))
        starts.update(latest_start(timestamp, length) for timestamp in timestamps)

    return [Window(start, start + length) for start in sorted(starts)]
