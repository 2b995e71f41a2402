"""The console: standard error, where a person may look on."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


def stderr_console() -> Console:
    """Make a console that writes to standard error."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show that something takes a while, if standard error is a terminal."""
    console = stderr_console()
    if not console.is_terminal:
        yield
        return

    with console.status(what):
        yield
