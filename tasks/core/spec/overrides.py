"""Overrides: fields of a spec that `--set` changes."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.core.errors import RequestError
from tasks.core.spec.mistakes import SHOWN, shorten
from tasks.core.spec.yaml_text import MOST_DEPTH, read_yaml

PATH = re.compile(r"[^.\s]+(\.[^.\s]+)*")
TEMPLATE = re.compile(r"\{window:\S")  # YAML would see the beginning of a mapping
LONGEST_POSITION = 10  # digits


def apply_override(document: Mapping[str, Any], override: str) -> dict[str, Any]:
    """Return a document in which one field is set; the value is YAML.

    >>> apply_override({"data": {"target": "y"}}, "data.target=cnt")
    {'data': {'target': 'cnt'}}
    >>> apply_override({"candidates": [{"params": {}}]}, "candidates.0.params.alpha=2.5")
    {'candidates': [{'params': {'alpha': 2.5}}]}
    >>> apply_override({}, "scoring.source={window:%Y}.csv")
    {'scoring': {'source': '{window:%Y}.csv'}}

    Raises:
        RequestError: it is not FIELD=VALUE, the value is no YAML, or there can be no such field.
    """
    path, equals, text = override.partition("=")
    keys = path.split(".")
    shown = shorten(" ".join(override.split()), SHOWN)
    if not equals or not PATH.fullmatch(path) or len(keys) > MOST_DEPTH:
        raise RequestError(
            f"--set {shown}: write it as FIELD=VALUE, for example --set data.target=cnt."
        )

    try:
        value = text if TEMPLATE.match(text) else read_yaml(text)
    except ValueError as error:
        raise RequestError(
            f"--set {shown}: the value is not YAML as a spec holds it: {shorten(str(error))}"
        ) from error

    changed: dict[str, Any] = _replace(document, keys, value, shown)
    return changed


def _replace(node: Any, path: Sequence[str], value: Any, override: str) -> Any:
    """Return a copy of a node of a document with another value at a path below it."""
    if not path:
        return value

    key, *rest = path
    if isinstance(node, list):
        position = _position_in(node, key, override)
        items = list(node)
        items[position] = _replace(items[position], rest, value, override)
        return items

    if node is not None and not isinstance(node, Mapping):
        raise RequestError(
            f"--set {override}: {shorten(key, SHOWN)!r} would be a field of "
            f"{shorten(repr(node), SHOWN)}, which has none."
        )

    fields = dict(node or {})
    fields[key] = _replace(fields.get(key), rest, value, override)
    return fields


def _position_in(items: Sequence[Any], key: str, override: str) -> int:
    is_number = key.isdecimal() and len(key) < LONGEST_POSITION
    if not is_number or int(key) >= len(items):
        raise RequestError(
            f"--set {override}: {shorten(key, SHOWN)!r} is not a position in a list of "
            f"{len(items)}, counted from 0."
        )
    return int(key)
