"""Wording: pieces of sentences that several messages share."""

import difflib
from collections.abc import Sequence

NAMES_SHOWN = 30


def nearest_name(name: str, names: Sequence[str]) -> str:
    """Finish a sentence about a missing name with the nearest known one, or with all of them.

    >>> nearest_name("targt", ["id", "target"])
    '; did you mean target?'
    >>> nearest_name("x", ["id", "target"])
    '; it has id, target.'
    """
    folded = name.casefold()
    same = [other for other in names if other.casefold() == folded]
    near = same or difflib.get_close_matches(name, names, n=1)
    if near:
        return f"; did you mean {near[0]}?"

    shown = ", ".join(names[:NAMES_SHOWN])
    more = ", ..." if len(names) > NAMES_SHOWN else ""
    return f"; it has {shown}{more}."


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1.

    >>> counted(1, "row"), counted(2000, "row")
    ('1 row', '2,000 rows')
    """
    plural = "" if number == 1 else "s"
    return f"{number:,} {noun}{plural}"
