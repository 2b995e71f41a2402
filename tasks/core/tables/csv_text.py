"""The text of a CSV file, checked on its way to the parser for what that would join or cut."""

from typing import BinaryIO

from tasks.core.tables.csv_quotes import Position, Quotes

BOM = b"\xef\xbb\xbf"


class CheckedText:
    r"""A binary stream that ends at the first fault, and keeps what is wrong there in `fault`.

    Without this check, a parser would join or cut values and say nothing. Faults are NUL
    characters, text after a closing quotation mark (a missing mark lets a value swallow the rows
    after it), and a quotation mark that is never closed.

    >>> import io
    >>> text = CheckedText(io.BytesIO(b'a,b\n1,"x\n2,y\n'))
    >>> text.read(100), text.read(100), text.fault
    (b'a,b\n1,"x\n2,y\n', b'', 'line 2, byte 6: a quotation mark is opened and never closed')
    """

    def __init__(self, stream: BinaryIO) -> None:
        """Read from a stream of bytes."""
        self.fault = ""
        self.closed = False
        self._stream = stream
        self._position = Position()
        self._quotes = Quotes()
        # Quotation marks at the end of what was read: the next byte tells what they mean.
        self._held_back = b""

    def read(self, size: int) -> bytes:
        """Read some bytes; none at the end, and after a fault."""
        if self.fault:
            return b""

        chunk = self._stream.read(size)
        self.fault = self._fault_of(chunk)
        return b"" if self.fault else chunk

    def close(self) -> None:
        """Close it; the stream it reads from stays open."""
        self.closed = True

    def _fault_of(self, chunk: bytes) -> str:
        """Return what is wrong with the next bytes of the stream; "" where nothing is."""
        text = self._held_back + chunk
        if b"\0" in chunk:
            offset = text.index(0)
            place = self._position.place(offset, text)
            return f"{place}: a NUL character: the file is no text, or not UTF-8"

        if text.startswith(BOM) and self._position == Position():
            text = text.removeprefix(BOM)
            self._position = Position(byte=len(BOM))

        at_end = not chunk
        checked = text if at_end else text.rstrip(b'"')
        self._held_back = text[len(checked) :]

        fault = self._quotes.follow(checked, self._position)
        self._position = self._position.after(checked)
        if at_end and self._quotes.inside and not fault:
            return f"{self._quotes.opened}: a quotation mark is opened and never closed"
        return fault
