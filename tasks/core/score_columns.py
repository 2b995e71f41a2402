"""The columns of scores, and of rows that are not scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks.core.errors import RequestError

ROW = "row"  # identifies rows where the spec names no id
PREDICTION = "prediction"
VERSION = "model_version"
PROBABILITY = "probability_"  # the name of a class follows
# What quarantine adds to the columns of a rejected row.
INPUT, INPUT_ROW, REASON, DETAIL = "input", "input_row", "reason", "detail"


@dataclass(frozen=True)
class ScoreColumns:
    """The columns of a score beside its prediction.

    `id` and `keep` are columns of the input that are carried through. With `proba`, there is one
    probability for each class.
    """

    id: str | None = None
    keep: tuple[str, ...] = ()
    proba: bool = False

    @property
    def carried(self) -> tuple[str, ...]:
        """The columns of the input that are carried through, the id first."""
        return self.keep if self.id is None else (self.id, *self.keep)


def check_carried(id_column: str | None, keep: Sequence[str]) -> None:
    """Refuse carried columns whose names the scores need themselves.

    Raises:
        RequestError: with the column.
    """
    names = [ROW if id_column is None else id_column, *keep]

    for name in names:
        is_ours = name in {PREDICTION, VERSION} or name.startswith(PROBABILITY)
        if is_ours or names.count(name) > 1:
            raise RequestError(
                f"scoring.keep: column {name!r} would occur twice in the scores: "
                "take it out or rename it."
            )


def probability_name(label: Any) -> str:
    """Return the name of the column with the probability of a class.

    >>> probability_name("spam"), probability_name(1)
    ('probability_spam', 'probability_1')
    """
    return f"{PROBABILITY}{label}"


def kept_name(name: str) -> str:
    """Return the name under which quarantine keeps a column of the source.

    It is its own, unless quarantine has a column of that name.

    >>> kept_name("size"), kept_name("reason")
    ('size', 'column_reason')
    """
    return f"column_{name}" if name in {INPUT, INPUT_ROW, REASON, DETAIL} else name
