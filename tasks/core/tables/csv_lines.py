"""The lines of a CSV file: where in it a row cannot be read."""

import csv
import io
from collections.abc import Iterator

BUFFER = 1 << 24  # bytes read at once


def first_fault(stream: io.RawIOBase, fields: int | None = None) -> str:
    r"""Return the place of the first row that is not UTF-8, or has another number of `fields`.

    It is found by Python's own reader, which is slow and knows lines and bytes. Return "" where
    that finds no fault.

    >>> first_fault(io.BytesIO(b"a,b\n1,2\n1\n"), fields=2)
    'the row that begins in line 3, byte 8'
    """
    lines = _Lines(io.BufferedReader(stream, BUFFER))
    try:
        for record in csv.reader(lines):
            if fields is not None and record and len(record) != fields:
                return f"the row that begins in {lines.record_place()}"
            lines.begin_record()
    except UnicodeDecodeError as error:
        line_start = lines.byte - len(error.object)
        return f"line {lines.line:,}, byte {line_start + error.start:,}"
    except (csv.Error, OSError):
        return ""

    return ""


class _Lines:
    """Iterate over the lines of a binary file as strings; know where the current record began."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self.stream = stream
        self.line = 0
        self.byte = 0
        self.first_line = 1
        self.first_byte = 0

    def __iter__(self) -> Iterator[str]:
        for raw in self.stream:
            self.line += 1
            self.byte += len(raw)
            yield raw.decode("utf-8")

    def record_place(self) -> str:
        """Return the line and byte at which the current record began."""
        return f"line {self.first_line:,}, byte {self.first_byte:,}"

    def begin_record(self) -> None:
        """Let the next record begin here."""
        self.first_line = self.line + 1
        self.first_byte = self.byte
