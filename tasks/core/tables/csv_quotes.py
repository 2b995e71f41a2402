"""The quotation marks of a CSV file: which of them open a value and which close it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUOTE = ord('"')
NEIGHBOURS = b",\r\n"  # what stands before and after a quoted value
IS_NEIGHBOUR = np.zeros(256, dtype=bool)
IS_NEIGHBOUR[list(NEIGHBOURS)] = True
MISSING = "text follows a closing quotation mark, so that one is missing here or before"


@dataclass(frozen=True)
class Position:
    """A position in a file: its byte, counted from 0, its line, and the byte before it."""

    byte: int = 0
    line: int = 1
    byte_before: int = ord("\n")

    def after(self, text: bytes) -> "Position":
        """Return the position after a text that begins here."""
        return Position(
            byte=self.byte + len(text),
            line=self.line + text.count(b"\n"),
            byte_before=text[-1] if text else self.byte_before,
        )

    def place(self, offset: int, text: bytes) -> str:
        r"""Return the line and byte of an offset in a text that begins here.

        >>> Position(byte=1000, line=20).place(3, b"a\nb,c")
        'line 21, byte 1,003'
        """
        line = self.line + text.count(b"\n", 0, offset)
        byte = self.byte + offset
        return f"line {line:,}, byte {byte:,}"


@dataclass(frozen=True)
class _Marks:
    """The quotation marks of a text: their offsets, and the bytes before and after each."""

    offsets: NDArray[np.int64]
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]


@dataclass(frozen=True)
class _Outcome:
    """What the quotation marks of a text mean; offsets are in the text, None where there is none.

    `inside`: its end is inside of a quoted value. `opened`: the last mark that began a value.
    `fault`: a closing mark that text follows.
    """

    inside: bool
    opened: int | None = None
    fault: int | None = None


class Quotes:
    """Follow the quotation marks of a file, one text after the other.

    `inside` says whether a quoted value is open at the end of the last text, and `opened` where
    that value began.

    >>> quotes = Quotes()
    >>> quotes.follow(b'1,"a""b","c', Position()), quotes.inside, quotes.opened
    ('', True, 'line 1, byte 9')
    """

    def __init__(self) -> None:
        """Start outside of a value."""
        self.inside = False
        self.opened = ""

    def follow(self, text: bytes, start: Position) -> str:
        """Follow the marks of a text that begins at `start`; return its fault, "" if it has none.

        A text must not end in a quotation mark, unless the file ends there too: the byte after it
        tells what it means.
        """
        marks = _find_marks(text, start.byte_before)
        if marks is None:
            return ""

        outcome = _follow_in_turn(marks, self.inside)
        if outcome is None:
            outcome = _follow_one_by_one(marks, self.inside)

        if outcome.fault is not None:
            place = start.place(outcome.fault, text)
            return f"{place}: {MISSING}"

        self.inside = outcome.inside
        if outcome.inside and outcome.opened is not None:
            self.opened = start.place(outcome.opened, text)
        return ""


def _find_marks(text: bytes, byte_before: int) -> _Marks | None:
    """Return the quotation marks of a text, None where there are none."""
    codes = np.frombuffer(text, np.uint8)
    offsets = np.flatnonzero(codes == QUOTE)
    if not len(offsets):
        return None

    padded_text = bytes([byte_before]) + text + b"\n"
    padded = np.frombuffer(padded_text, np.uint8)
    return _Marks(offsets, before=padded[offsets], after=padded[offsets + 2])


def _follow_in_turn(marks: _Marks, inside: bool) -> _Outcome | None:
    """Take marks as opening and closing in turn; return None where that is not what they are.

    A doubled mark in a quoted value closes it and opens it again, which comes to the same.
    """
    opens = np.full(len(marks.offsets), inside)
    opens[::2] = not inside

    outer = np.where(opens, marks.before, marks.after)
    is_in_place = IS_NEIGHBOUR[outer] | (outer == QUOTE)
    if not is_in_place.all():
        return None

    begins_value = opens & IS_NEIGHBOUR[marks.before]
    begins = marks.offsets[begins_value].tolist()
    opened = begins[-1] if begins else None
    return _Outcome(bool(opens[-1]), opened)


def _follow_one_by_one(marks: _Marks, inside: bool) -> _Outcome:
    """Follow marks one by one: in a value that is not quoted, as 5", one is like any character."""
    opened = None
    escaped = -1
    bytes_beside = zip(marks.before.tolist(), marks.after.tolist(), strict=True)
    for offset, (before, after) in zip(marks.offsets.tolist(), bytes_beside, strict=True):
        if offset == escaped:
            continue

        if not inside:
            inside = before in NEIGHBOURS
            opened = offset if inside else opened
        elif after == QUOTE:
            escaped = offset + 1
        elif after in NEIGHBOURS:
            inside = False
        else:
            return _Outcome(inside, opened, fault=offset)

    return _Outcome(inside, opened)
