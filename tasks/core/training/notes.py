"""Notes: what a person should know of the columns of a table that is trained on."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from tasks.core.tables.written_values import MARKS, look_at_text, sample_text
from tasks.core.training.row_counters import is_counter, is_row_counter
from tasks.core.wording import counted

MANY_BLANKS = 0.5  # of the values of a column
MOST_NOTES = 20


def describe_left_out(counters: Iterable[str]) -> list[str]:
    """Return a note for each column that is no feature because it counts the rows."""
    return [
        f"column {name!r} counts the rows: it is no feature (`data.id` may name it)"
        for name in counters
    ]


def describe_features(table: pa.Table, names: Iterable[str]) -> list[str]:
    """Return notes on the features that may not be what they seem to be; the first of many."""
    notes = [note for name in names for note in _describe(name, table[name])]
    more = len(notes) - MOST_NOTES
    if more > 0:
        return [*notes[:MOST_NOTES], f"{counted(more, 'more note')} of this kind"]
    return notes


def _describe(name: str, column: pa.ChunkedArray) -> Iterator[str]:
    if is_counter(name, column) or is_row_counter(column):
        yield (
            f"column {name!r} counts the rows, which may give the target away: add it to "
            "`data.drop`, or make it the `data.id`"
        )
        return

    written = look_at_text(column)
    if written is not None:
        yield (
            f"column {name!r} is text, and {written.found}: each is a category of its own; "
            f"{written.advice}, if that is what they are"
        )
        return

    yield from _describe_words(name, sample_text(column))


def _describe_words(name: str, values: Sequence[str]) -> Iterator[str]:
    """Yield what is odd about words: marks of missing values, and blanks around them."""
    marks = Counter(value for value in values if value.strip().lower() in MARKS)
    if marks:
        mark, count = marks.most_common(1)[0]
        yield (
            f"column {name!r} holds {mark!r} ({count:,} of {len(values):,} values looked at), a "
            "category as any other: leave missing values empty"
        )

    padded = [value for value in values if value != value.strip()]
    if padded and len(padded) >= MANY_BLANKS * len(values):
        shortest = min(padded, key=len)
        yield f"values of column {name!r} have blanks around them, which count: {shortest!r}"
