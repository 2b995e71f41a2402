"""Wording: small pieces of sentences."""

import difflib
from collections.abc import Sequence

NAMES_SHOWN = 30


def nearest_name(name: str, names: Sequence[str]) -> str:
    """Finish a sentence about a missing name with the nearest one, or with all there are.

    >>> nearest_name("targt", ["id", "target"])
    '; did you mean target?'
    >>> nearest_name("x", ["id", "target"])
    '; it has id, target.'
    """
    same = [other for other in names if other.casefold() == name.casefold()]
    near = same or difflib.get_close_matches(name, names, n=1)
    shown = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
    return f"; did you mean {near[0]}?" if near else f"; it has {shown}."


def counted(number: int, noun: str) -> str:
    """Write a number with its noun.

    >>> counted(1, "row"), counted(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
