"""Slices: the rows of a table, so many at a time."""

from collections.abc import Iterator


def slices(rows: int, size: int) -> Iterator[slice]:
    """Cut rows into slices of one size; the last one may be shorter.

    >>> list(slices(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))
