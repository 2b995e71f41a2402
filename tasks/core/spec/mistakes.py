"""Mistakes in a spec, in words."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tasks.core.spec.sections import Section
from tasks.core.spec.spec import Spec

SENTENCE = 500  # characters, at most
SHOWN = 200  # of what a field holds


def shorten(text: str, most: int = SENTENCE) -> str:
    """Return the beginning of a text, and how it ends if it is too long.

    >>> shorten("abcdefgh", 7)
    'abcd...'
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


def explain(error: ValidationError) -> str:
    """Return one sentence about the first wrong field: what it holds and what it may hold."""
    problem = _first_problem(error)
    location = problem["loc"]
    field = shorten(".".join(str(part) for part in location), SHOWN)
    message = problem["msg"].removeprefix("Value error, ")

    if problem["type"] == "extra_forbidden":
        known = ", ".join(_known_fields(location))
        return f"{field} is not a field of the spec: known here are {known}."

    if problem["type"] == "missing":
        return f"{field} is missing."

    if problem["type"] == "value_error":
        sentence = f"{field}: {message}" if field else message
        return sentence if sentence.endswith("?") else f"{sentence}."

    found = shorten(repr(problem["input"]), SHOWN)
    message = message[:1].lower() + message[1:]
    return f"{field} is {found}: {message}."


def _first_problem(error: ValidationError) -> ErrorDetails:
    """Return the first unknown field, else the first problem.

    A misspelt field says more than the field that is missing because of it.
    """
    problems = error.errors(include_url=False)
    for problem in problems:
        if problem["type"] == "extra_forbidden":
            return problem
    return problems[0]


def _known_fields(location: Sequence[int | str]) -> list[str]:
    """List the fields beside an unknown one, by walking the models along its location."""
    model: type[Section] = Spec
    for part in location[:-1]:
        # A position in a list or a key of a mapping is no field: the model stays.
        field = model.model_fields.get(str(part))
        sections = _sections_in(field.annotation) if field else []
        model = sections[0] if sections else model
    return list(model.model_fields)


def _sections_in(annotation: Any) -> list[type[Section]]:
    """List the sections in a type, as `Limit` in `dict[str, Limit]`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]

    sections = []
    for argument in getattr(annotation, "__args__", ()):
        sections.extend(_sections_in(argument))
    return sections
