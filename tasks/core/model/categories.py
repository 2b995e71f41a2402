"""Categories: which values of a column a fitted pipeline knows."""

from collections.abc import Iterator, Sequence
from itertools import dropwhile, takewhile
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def known_categories(pipeline: Any, *, strict: bool = False) -> dict[str, pa.Array]:
    """Return the categories that an encoder of the pipeline was fitted on, by column.

    Only columns of strings that an encoder takes have any.

    Args:
        pipeline: a fitted pipeline.
        strict: only columns whose encoder raises on an unknown category.
    """
    found: dict[str, pa.Array] = {}

    for names, encoder in _encoders(pipeline, strict=strict):
        for name, categories in zip(names, encoder.categories_, strict=True):
            strings = [value for value in categories.tolist() if isinstance(value, str)]
            if strings:
                found[name] = pa.array(strings, pa.string())
    return found


def unknown_values(column: pa.ChunkedArray, known: pa.Array) -> pa.ChunkedArray:
    """Return whether each value is in no known category; a missing one is not.

    >>> cities = pa.chunked_array([["Oslo", "Atlantis", None]])
    >>> unknown_values(cities, pa.array(["Oslo"])).to_pylist()
    [False, True, False]
    """
    strings = column.cast(pa.string())
    is_known = pc.is_in(strings, known)
    return pc.and_(pc.is_valid(strings), pc.invert(is_known))


def _encoders(pipeline: Any, *, strict: bool) -> Iterator[tuple[list[str], Any]]:
    """Yield the encoders of a ColumnTransformer's columns, with the names of these.

    Strict ones raise on an unknown category, and see strings as they are: nothing before them may
    replace one.
    """
    for number, (_, step) in enumerate(getattr(pipeline, "steps", [])):
        for _, transformer, columns in getattr(step, "transformers_", []):
            encoder = _after_imputers(transformer)
            if not are_names(columns) or not _encodes(encoder, columns):
                continue

            is_first = number == 0 and not _replaces_strings(transformer)
            raises = getattr(encoder, "handle_unknown", None) == "error"
            if not strict or (is_first and raises):
                yield columns, encoder


def _encodes(encoder: Any, columns: Sequence[str]) -> bool:
    """Return whether this is an encoder that was fitted on so many columns, and on any."""
    categories = getattr(encoder, "categories_", ())
    return len(categories) == len(columns) > 0


def _after_imputers(transformer: Any) -> Any:
    """Return the first step of a transformer that is no imputer, `None` if there is none."""
    others = dropwhile(_is_imputer, _steps_of(transformer))
    return next(others, None)


def _replaces_strings(transformer: Any) -> bool:
    """Return whether an imputer that a transformer begins with replaces a string."""
    imputers = takewhile(_is_imputer, _steps_of(transformer))
    return any(isinstance(imputer.missing_values, str) for imputer in imputers)


def _steps_of(transformer: Any) -> list[Any]:
    """Return the steps of a pipeline; another transformer is a step by itself."""
    if not hasattr(transformer, "steps"):
        return [transformer]
    return [step for _, step in transformer.steps]


def _is_imputer(step: Any) -> bool:
    return type(step).__name__ == "SimpleImputer"


def are_names(columns: Any) -> bool:
    """Return whether a transformer's columns are given as a list of their names."""
    if not isinstance(columns, list | tuple):
        return False
    return all(isinstance(name, str) for name in columns)
