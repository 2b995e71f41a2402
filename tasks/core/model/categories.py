"""Categories: which values of a column a fitted pipeline knows."""

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def known_categories(pipeline: Any, *, strict: bool = False) -> dict[str, pa.Array]:
    """List the categories of each column of texts that an encoder of the pipeline was fitted on, by
    column.

    Columns that are prepared in another way have none.

    Args:
        pipeline: a fitted pipeline.
        strict: list only those beside which it takes no other but a missing one.
    """
    found: dict[str, pa.Array] = {}
    for columns, encoder in _encoders(pipeline, strict=strict):
        for name, categories in zip(columns, encoder.categories_, strict=True):
            texts = [value for value in categories.tolist() if isinstance(value, str)]
            found |= {name: pa.array(texts, pa.string())} if texts else {}
    return found


def unknown_values(column: pa.ChunkedArray, known: pa.Array) -> pa.ChunkedArray:
    """Tell of each value whether it is in no known category; what is missing is not.

    >>> unknown_values(pa.chunked_array([["Oslo", "Atlantis", None]]), pa.array(["Oslo"])).to_pylist()
    [False, True, False]
    """
    texts = column.cast(pa.string())
    return pc.and_(pc.is_valid(texts), pc.invert(pc.is_in(texts, known)))


def _encoders(pipeline: Any, *, strict: bool) -> Iterator[tuple[list[str], Any]]:
    """Find the encoders of a ColumnTransformer's columns, also behind an imputer, with the names of
    these.

    Strict ones refuse what they do not know, and see texts as they are: nothing before them may
    replace one.
    """
    for number, (_, step) in enumerate(getattr(pipeline, "steps", [])):
        for _, transformer, columns in getattr(step, "transformers_", []):
            steps = [inner for _, inner in getattr(transformer, "steps", [("", transformer)])]
            imputers = list(takewhile(lambda inner: type(inner).__name__ == "SimpleImputer", steps))
            first = next(iter(steps[len(imputers) :]), None)
            unseen = number or any(isinstance(imputer.missing_values, str) for imputer in imputers)
            if strict and (getattr(first, "handle_unknown", None) != "error" or unseen):
                continue
            if are_names(columns) and len(getattr(first, "categories_", ())) == len(columns):
                yield columns, first


def are_names(columns: Any) -> bool:
    """Tell whether a transformer's columns are given as a list of their names."""
    return isinstance(columns, list | tuple) and all(isinstance(name, str) for name in columns)
