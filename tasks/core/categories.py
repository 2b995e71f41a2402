"""Categories: which values of a column a fitted pipeline knows."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa


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


def _encoders(pipeline: Any) -> Iterator[tuple[list[str], Any]]:
    """Find the encoders of a ColumnTransformer's columns, also behind an imputer, with the names of these."""
    for _, step in getattr(pipeline, "steps", []):
        for _, transformer, columns in getattr(step, "transformers_", []):
            steps = [inner for _, inner in getattr(transformer, "steps", [("", transformer)])]
            first = next((inner for inner in steps if type(inner).__name__ != "SimpleImputer"), None)
            named = isinstance(columns, list) and all(isinstance(name, str) for name in columns)
            if named and len(getattr(first, "categories_", ())) == len(columns):
                yield columns, first
