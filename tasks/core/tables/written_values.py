"""Written values: text that nearly always is a number or a date as somebody writes it."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tasks.core.tables.columns import kind_of

SAMPLE = 2000  # values looked at, at most
PROBED = 50  # of which these come first
NEARLY_ALL = 0.9
FEW_VALUES = 20  # distinct ones: so few plain numbers, or numbers with a unit, may be codes
MARKS = frozenset({"?", "-", "--", ".", "n/a", "#n/a", "na", "nan", "null", "(null)", "none"})

_SIGN = r"[+\-\u2212]"
_MARK = r"[,.'\u2019 \u00a0\u202f]"  # between groups of digits
_PLAIN = rf"{_SIGN}?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_GROUPED = rf"{_SIGN}?\d{{1,3}}(?:{_MARK}\d{{2,3}})*{_MARK}\d{{3}}(?:[.,]\d+)?"
_COMMA = rf"{_SIGN}?\d+,\d+"
_AMOUNT = rf"(?:{_GROUPED}|{_COMMA}|{_PLAIN})-?"
_CURRENCY = (
    r"(?:[A-Z]{0,3}[$€£¥₹₽₩₪₫₴₦₺₱฿¢]|Rs\.?|Fr\.?|kr\.?|zł|Kč|Ft|lei|AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|"
    r"GBP|HKD|HUF|INR|JPY|KRW|MXN|NOK|NZD|PLN|RON|RUB|SEK|SGD|TRY|UAH|USD|ZAR)"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:\d{4}|\d{2})"
_CLOCK = r"(?:[T ,]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?.{0,6})?"
_MONTH = r"[^\W\d_]{3,9}\.?"
_DATE = "|".join(
    [
        rf"\d{{4}}-\d{{2}}-\d{{2}}{_CLOCK}",
        rf"{_DAY}([./-]){_DAY}\1{_YEAR}{_CLOCK}",
        rf"\d{{4}}([./]){_DAY}\2{_DAY}{_CLOCK}",
        rf"{_DAY}\.?[ -]{_MONTH},?[ -]{_YEAR}{_CLOCK}",
        rf"{_MONTH} {_DAY},? \d{{4}}{_CLOCK}",
    ]
)
DATES, PLAIN, UNITS = "dates", "numbers", "numbers with a unit"
# What a value is, by the first form that it has.
FORMS: dict[str, re.Pattern[str]] = {
    DATES: re.compile(_DATE),
    PLAIN: re.compile(_PLAIN),
    "percentages": re.compile(rf"{_AMOUNT}\s*[%‰]"),
    "money amounts": re.compile(
        rf"(?:{_SIGN}|\()?\s*{_CURRENCY}\s*{_AMOUNT}\)?|"
        rf"\(?{_AMOUNT}\s*{_CURRENCY}\)?|\({_AMOUNT}\)"
    ),
    "numbers with separators": re.compile(_AMOUNT),
    UNITS: re.compile(rf"{_AMOUNT}\s*[^\W\d_]{{1,4}}[²³]?"),
}
ADVICE = {DATES: "write them as 2024-12-31 or 2024-12-31T18:30"}
PLAINLY = "write them as plain numbers, such as 1234.56"


@dataclass(frozen=True)
class Written:
    """What nearly all values of a column of text are, with an example.

    `mark` is a value among them that seems to mean a missing one, if there is any.
    """

    what: str
    example: str
    mark: str | None = None

    @property
    def found(self) -> str:
        """What was found, as part of a sentence."""
        beside = "" if self.mark is None else f" beside {self.mark!r}"
        return f"nearly all of its values are {self.what}, such as {self.example!r}{beside}"

    @property
    def advice(self) -> str:
        """What to write instead, as part of a sentence."""
        empty = "" if self.mark is None else ", leave missing values empty"
        return ADVICE.get(self.what, PLAINLY) + empty


def look_at_text(column: pa.ChunkedArray) -> Written | None:
    """Return what nearly all values of a column of text are; None for words and other columns.

    >>> look_at_text(pa.chunked_array([["$347.37", "$1,197.24", "$80"]])).found
    "nearly all of its values are money amounts, such as '$347.37'"
    >>> look_at_text(pa.chunked_array([["Oslo", "12 %", "Bergen"]])) is None
    True
    """
    values = sample_text(column)
    marks = [value for value in values if value.strip().lower() in MARKS]
    given = [value for value in values if value.strip() and value.strip().lower() not in MARKS]
    probe = [_form_of(value.strip()) for value in given[:: max(1, len(given) // PROBED)]]
    if 2 * probe.count(None) >= len(probe):  # of very many columns of words, few values are read
        return None

    forms = [_form_of(value.strip()) for value in given]
    what = _most_special(Counter(forms))
    if what is None:
        return None
    if what in {PLAIN, UNITS} and not marks and len(set(given)) <= FEW_VALUES:
        return None
    return Written(what, given[forms.index(what)], marks[0] if marks else None)


def sample_text(column: pa.ChunkedArray) -> list[str]:
    """Return some values of a column of text, from all over it; none of any other column."""
    if kind_of(column.type) != "categorical":
        return []

    positions = np.linspace(0, len(column) - 1, min(len(column), SAMPLE)).astype(np.int64)
    values = [column[position].as_py() for position in positions.tolist()]
    return [value for value in values if value is not None]


def _form_of(value: str) -> str | None:
    for what, form in FORMS.items():
        if form.fullmatch(value):
            return what
    return None


def _most_special(counts: Counter[str | None]) -> str | None:
    """Return what nearly all values are: of numbers, the most frequent form that is not plain."""
    enough = NEARLY_ALL * counts.total()
    if counts[DATES] >= enough:
        return DATES

    numbers = [what for what in FORMS if what != DATES]
    if sum(counts[what] for what in numbers) < enough:
        return None
    special = [what for what in numbers if what != PLAIN and counts[what]]
    return max(special, key=counts.__getitem__, default=PLAIN)
