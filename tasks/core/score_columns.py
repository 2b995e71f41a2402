"""The columns of scores, and the names that are reserved for them."""

from collections.abc import Sequence
from typing import Any

from tasks.core.errors import RequestError

ROW = "row"  # the number of a row in the input, where the spec names no id
PREDICTION = "prediction"
VERSION = "model_version"
PROBABILITY = "probability_"  # what the name of a class follows


def probability_name(label: Any) -> str:
    """Return the name of the column that holds the probability of a class.

    >>> probability_name("spam"), probability_name(1)
    ('probability_spam', 'probability_1')
    """
    return f"{PROBABILITY}{label}"


def check_carried(id_column: str | None, keep: Sequence[str]) -> None:
    """Refuse an id or kept columns whose names are reserved, or occur twice.

    Raises:
        RequestError: with the name of the first such column.
    """
    names = [id_column or ROW, *keep]
    for name in names:
        reserved = name in {PREDICTION, VERSION} or name.startswith(PROBABILITY)
        if reserved or names.count(name) > 1:
            raise RequestError(
                f"scoring.keep: column {name!r} would occur twice in the scores: "
                "take it out or rename it."
            )
