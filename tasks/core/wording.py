"""Wording: pieces of sentences that several messages share."""

import difflib
from collections.abc import Sequence

NAMES_SHOWN = 30
SENTENCE_CHARACTERS = 500
GAP = " ... "


def nearest_name(name: str, names: Sequence[str]) -> str:
    """Finish a sentence about a missing name with the nearest known one, or with all of them.

    >>> nearest_name("targt", ["id", "target"])
    "; did you mean 'target'?"
    >>> nearest_name("qty", ["id", " qty"])
    "; there is ' qty': the two differ in the blanks around them."
    >>> nearest_name("x", ["id", "target"])
    "; it has 'id', 'target'."
    """
    folded = name.casefold()
    same = [other for other in names if other.casefold() == folded]
    padded = [other for other in names if other.strip().casefold() == folded.strip()]
    if padded and not same:
        return f"; there is {padded[0]!r}: the two differ in the blanks around them."

    near = same or difflib.get_close_matches(name, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"

    shown = ", ".join(repr(other) for other in names[:NAMES_SHOWN])
    more = ", ..." if len(names) > NAMES_SHOWN else ""
    return f"; it has {shown}{more}."


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1.

    >>> counted(1, "row"), counted(2000, "row")
    ('1 row', '2,000 rows')
    """
    plural = "" if number == 1 else "s"
    return f"{number:,} {noun}{plural}"


def printable(text: str, characters: int = SENTENCE_CHARACTERS) -> str:
    r"""Return a text as one line that a terminal shows and does not obey.

    Names and values are those of other people: colours, titles, movements of the cursor, line
    breaks and changes of the direction are written as escapes. A long line keeps its end, where
    sentences say what to do.

    >>> printable("north\x1b[31m\nall is well")
    'north\\x1b[31m\\nall is well'
    >>> printable("a" * 30 + ": take another.", characters=30)
    'aaaaaaaaaa ... : take another.'
    """
    if not text.isprintable():
        shown = [letter if letter.isprintable() else _escaped(letter) for letter in text]
        text = "".join(shown)
    if len(text) <= characters:
        return text

    end = characters // 2
    start = characters - end - len(GAP)
    return text[:start] + GAP + text[-end:]


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
