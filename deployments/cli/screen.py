"""The screen: the one form in which a sentence or a line of a summary leaves for a person."""

from tasks.core.storage.secrets import without_secrets
from tasks.core.wording import printable

LINE_CHARACTERS = 5_000  # of a log
CONTINUED = "\n  | "


def shown(line: str) -> str:
    """Return a line without secrets, and without what a terminal would obey.

    Names of models, columns, segments and files are those of other people, and so is what a server
    or a library says.
    """
    return printable(without_secrets(line))


def shown_lines(text: str) -> str:
    r"""Return a text of many lines in the same way; none but the first can pass for a record.

    >>> shown_lines("failed: no file\nall is well")
    'failed: no file\n  | all is well'
    """
    clean = without_secrets(text).split("\n")
    lines = [printable(line, LINE_CHARACTERS) for line in clean]
    return CONTINUED.join(lines)
