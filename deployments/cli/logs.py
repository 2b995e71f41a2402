"""Logs and tracebacks on a terminal: what --verbose shows, without what a terminal would obey."""

import logging
import sys
import traceback
from types import TracebackType

from deployments.cli.screen import shown_lines


class ShownFormatter(logging.Formatter):
    """Formats records as another formatter does, and escapes the outcome."""

    def __init__(self, inner: logging.Formatter) -> None:
        """Escape what this formatter returns."""
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record; all but the first are marked as such."""
        return shown_lines(self.inner.format(record))


def escape_logs() -> None:
    """Escape what loggers write to the console, once they are set up."""
    named = [logging.getLogger(name) for name in tuple(logging.root.manager.loggerDict)]
    loggers = [logging.root, *named]

    for handler in {handler for logger in loggers for handler in logger.handlers}:
        is_escaped = isinstance(handler.formatter, ShownFormatter)
        if isinstance(handler, logging.StreamHandler) and not is_escaped:
            handler.setFormatter(ShownFormatter(handler.formatter or logging.Formatter()))


def write_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Write a traceback to standard error, as `sys.excepthook`."""
    lines = traceback.format_exception(kind, error, trace)
    sys.stderr.write(f"{shown_lines(''.join(lines).rstrip())}\n")
