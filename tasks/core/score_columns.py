"""The columns of scores."""

from collections.abc import Sequence
from typing import Any

from tasks.core.errors import RequestError

ROW = "row"  # what rows are known by where the spec names no id
PREDICTION = "prediction"
VERSION = "model_version"


def probability_name(label: Any) -> str:
    """Name the column of a class's probability.

    >>> probability_name("spam"), probability_name(1)
    ('probability_spam', 'probability_1')
    """
    return f"probability_{label}"


def check_carried(id_column: str | None, keep: Sequence[str]) -> None:
    """Refuse carried columns whose names the scores need themselves."""
    names = [id_column or ROW, *keep]
    for name in names:
        if (
            name in {PREDICTION, VERSION}
            or name.startswith("probability_")
            or names.count(name) > 1
        ):
            raise RequestError(
                f"scoring.keep: column {name!r} would occur twice in the scores: take it out or rename it."
            )
