"""The text of a CSV file, checked on its way to the parser: what the parser would join or cut
without a word.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

QUOTE = ord('"')
QUOTE_NEIGHBOURS = np.zeros(256, dtype=bool)  # what stands before and after a quoted value
QUOTE_NEIGHBOURS[list(b",\r\n")] = True
BOM = b"\xef\xbb\xbf"


class CheckedText:
    r"""A binary stream that ends at the first fault, and keeps what is wrong there in `fault`.

    Faults are NUL characters, text right after a closing quotation mark (where one is missing, a
    value runs on until the next, over the ends of rows), and a quotation mark that is never closed.

    >>> import io
    >>> text = CheckedText(io.BytesIO(b'a,b\n1,"x\n2,"y"\n'))
    >>> text.read(100), text.fault
    (b'', 'line 3, byte 11: text follows a closing quotation mark, so that one is missing here or before')
    """

    def __init__(self, stream: Any) -> None:
        """Read from a stream of bytes."""
        self.fault = ""
        self.closed = False
        self._stream = stream
        self._inside = False  # of a quoted value
        self._opened = ""  # where that value began
        self._rest = (
            b""  # quotation marks at the end of what was read: the next byte tells what they mean
        )
        self._before = ord("\n")
        self._bytes = self._lines = 0  # of what was looked at

    def read(self, size: int) -> bytes:
        """Read some bytes; none at the end, and after a fault."""
        if self.fault:
            return b""
        chunk: bytes = self._stream.read(size)
        if b"\0" in chunk:
            text = self._rest + chunk
            self.fault = f"{self._place(text.index(0), text)}: a NUL character: the file is no text, or not UTF-8"
        else:
            self._look(self._rest + chunk, at_end=not chunk)
        return b"" if self.fault else chunk

    def close(self) -> None:
        """Close it; the stream it reads from stays open."""
        self.closed = True

    def _look(self, text: bytes, *, at_end: bool) -> None:
        """Look at the quotation marks of a text that follows on what was looked at."""
        if not self._bytes and text.startswith(BOM):
            text, self._bytes = text[len(BOM) :], len(BOM)
        whole = text if at_end else text.rstrip(b'"')
        self._rest = text[len(whole) :]
        marks = np.flatnonzero(np.frombuffer(whole, np.uint8) == QUOTE)
        if len(marks):
            padded = np.frombuffer(bytes([self._before]) + whole + b"\n", np.uint8)
            if not self._all_in_order(marks, padded, whole):
                self._follow(marks, padded, whole)
        if at_end and self._inside and not self.fault:
            self.fault = f"{self._opened}: a quotation mark is opened and never closed"
        self._before = whole[-1] if whole else self._before
        self._bytes += len(whole)
        self._lines += whole.count(b"\n")

    def _all_in_order(
        self, marks: NDArray[np.int64], padded: NDArray[np.uint8], whole: bytes
    ) -> bool:
        """Take marks for opening and closing ones in turn; tell whether that is what they are."""
        opening = np.arange(len(marks)) % 2 == self._inside
        beside = np.where(opening, padded[marks], padded[marks + 2])
        if not (QUOTE_NEIGHBOURS[beside] | (beside == QUOTE)).all():
            return False
        starts = marks[opening & QUOTE_NEIGHBOURS[padded[marks]]]
        if opening[-1] and len(starts):
            self._opened = self._place(int(starts[-1]), whole)
        self._inside = bool(opening[-1])
        return True

    def _follow(self, marks: NDArray[np.int64], padded: NDArray[np.uint8], whole: bytes) -> None:
        """Follow marks one by one: one inside of a value that is not quoted, as in 5", is a
        character like others.
        """
        escaped = opened = -1
        for mark in marks.tolist():
            if mark == escaped:
                continue
            if not self._inside:
                self._inside = bool(QUOTE_NEIGHBOURS[padded[mark]])
                opened = mark if self._inside else opened
            elif padded[mark + 2] == QUOTE:
                escaped = mark + 1
            elif QUOTE_NEIGHBOURS[padded[mark + 2]]:
                self._inside = False
            else:
                missing = (
                    "text follows a closing quotation mark, so that one is missing here or before"
                )
                self.fault = f"{self._place(mark, whole)}: {missing}"
                return
        if self._inside and opened >= 0:
            self._opened = self._place(opened, whole)

    def _place(self, position: int, text: bytes) -> str:
        """Name a place of a text that follows on what was looked at."""
        return f"line {1 + self._lines + text.count(10, 0, position):,}, byte {self._bytes + position:,}"
