"""The spec file: read, changed by `--set`, and explained where it is wrong."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tasks.core.errors import RequestError
from tasks.core.spec.sections import Section
from tasks.core.spec.spec import Spec
from tasks.core.storage.location import absolute


def load_spec(path: Path, overrides: Sequence[str] = ()) -> Spec:
    """Read a spec, apply `--set` overrides such as `data.target=cnt`, and make its paths absolute.

    Raises:
        RequestError: the file is missing or is no YAML, or a field is unknown or impossible.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RequestError(
            f"There is no spec {path}: `afterfit init TABLE --target COLUMN` writes a first one."
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RequestError(
            f"{path} cannot be read as YAML: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(document, dict):
        raise RequestError(
            f"{path} is not a spec: it must hold fields such as `name`, `problem` and `data`."
        )
    for override in overrides:
        document = apply_override(document, override)
    return parse_spec(document, path.resolve().parent, str(path))


def parse_spec(document: Mapping[str, Any], folder: Path, origin: str) -> Spec:
    """Validate a document; relative paths in it are relative to `folder`."""
    try:
        spec = Spec.model_validate(document)
    except ValidationError as error:
        raise RequestError(f"{origin}: {explain(error)}") from error
    data = spec.data.model_copy(update={"source": absolute(spec.data.source, folder)})
    scoring = spec.scoring.model_copy(
        update={
            "source": absolute(spec.scoring.source, folder),
            "output": absolute(spec.scoring.output, folder),
        }
    )
    return spec.model_copy(update={"data": data, "scoring": scoring})


def apply_override(document: Mapping[str, Any], override: str) -> dict[str, Any]:
    """Set one field of a document; the value is YAML.

    >>> apply_override({"data": {"target": "y"}}, "data.target=cnt")
    {'data': {'target': 'cnt'}}
    >>> apply_override({"candidates": [{"params": {}}]}, "candidates.0.params.alpha=2.5")
    {'candidates': [{'params': {'alpha': 2.5}}]}
    >>> apply_override({}, "scoring.source={window:%Y}.csv")
    {'scoring': {'source': '{window:%Y}.csv'}}
    """
    path, equals, text = override.partition("=")
    if not equals or not re.fullmatch(r"[^.\s]+(\.[^.\s]+)*", path):
        raise RequestError(
            f"--set {override}: write it as FIELD=VALUE, for example --set data.target=cnt."
        )
    try:
        # A template, in which YAML would see the beginning of a mapping.
        value = text if re.match(r"\{window:\S", text) else yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RequestError(f"--set {override}: {text!r} is not YAML.") from error
    changed: dict[str, Any] = _replaced(document, path.split("."), value, override)
    return changed


def _replaced(node: Any, path: Sequence[str], value: Any, override: str) -> Any:
    key, rest = path[0], path[1:]
    if isinstance(node, list):
        if not key.isdecimal() or int(key) >= len(node):
            raise RequestError(
                f"--set {override}: {key!r} is not a position in a list of {len(node)}, counted from 0."
            )
        inner = _replaced(node[int(key)], rest, value, override) if rest else value
        return [inner if position == int(key) else item for position, item in enumerate(node)]
    if node is not None and not isinstance(node, Mapping):
        raise RequestError(
            f"--set {override}: {key!r} would be a field of {node!r}, which has none."
        )
    fields = dict(node or {})
    return {**fields, key: _replaced(fields.get(key), rest, value, override) if rest else value}


def explain(error: ValidationError) -> str:
    """Say in one sentence what is wrong with a spec: the first field, what it holds and what it may
    hold.
    """
    problems = error.errors(include_url=False)
    # A misspelt field says more than the field that is missing because of it.
    first = next(
        (problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0]
    )
    field = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known = ", ".join(_known_fields(first["loc"]))
        return f"{field} is not a field of the spec: known here are {known}."
    if first["type"] == "missing":
        return f"{field} is missing."
    if first["type"] == "value_error":
        sentence = f"{field}: {message}" if field else message
        return sentence if sentence.endswith("?") else f"{sentence}."
    message = message[:1].lower() + message[1:]
    return f"{field} is {first['input']!r}: {message}."


def _known_fields(location: Sequence[int | str]) -> list[str]:
    """List the fields beside an unknown one, by walking the models along its location."""
    model: Any = Spec
    for part in location[:-1]:
        if not isinstance(part, int):
            annotation = (
                model.model_fields[part].annotation
                if part in getattr(model, "model_fields", {})
                else model
            )
            model = next((item for item in _nested(annotation)), model)
    return list(model.model_fields)


def _nested(annotation: Any) -> list[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _nested(part)]
