"""Categories: which values of a column a fitted pipeline knows."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def known_categories(pipeline: Any) -> dict[str, pa.Array]:
    """List the categories of each column of texts that an encoder of the pipeline was fitted on, by column.

    Columns that are prepared in another way have none.
    """
    found: dict[str, pa.Array] = {}
    for columns, encoder in _encoders(pipeline):
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


def _encoders(pipeline: Any) -> Iterator[tuple[list[str], Any]]:
    """Find the encoders of a ColumnTransformer's columns, also behind an imputer, with the names of these."""
    for _, step in getattr(pipeline, "steps", []):
        for _, transformer, columns in getattr(step, "transformers_", []):
            steps = [inner for _, inner in getattr(transformer, "steps", [("", transformer)])]
            first = next((inner for inner in steps if type(inner).__name__ != "SimpleImputer"), None)
            if are_names(columns) and len(getattr(first, "categories_", ())) == len(columns):
                yield columns, first


def are_names(columns: Any) -> bool:
    """Tell whether a transformer's columns are given as a list of their names."""
    return isinstance(columns, list | tuple) and all(isinstance(name, str) for name in columns)
