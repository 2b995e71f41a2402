"""The contents of a model: every object inside it."""

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

CONTAINERS = (dict, list, tuple, set, frozenset, np.ndarray)
WITHOUT_ATTRIBUTES = (*CONTAINERS, type, ModuleType)  # none that a model is made of


def objects_inside(whole: Any) -> Iterator[Any]:
    """Yield every object with attributes that an object holds, itself first, each once."""
    waiting = [whole]
    seen = {id(whole): whole}  # the objects are kept, or another could get the id of one

    while waiting:
        found = waiting.pop()
        if _has_attributes(found):
            yield found

        for part in _parts_of(found):
            if id(part) not in seen:
                seen[id(part)] = part
                waiting.append(part)


def _has_attributes(found: Any) -> bool:
    return not isinstance(found, WITHOUT_ATTRIBUTES) and hasattr(found, "__dict__")


def _parts_of(found: Any) -> Iterable[Any]:
    """Return what an object holds: its items, or the values of its attributes."""
    if isinstance(found, dict):
        return list(found.values())
    if isinstance(found, np.ndarray):
        return found.ravel().tolist() if found.dtype == object else []
    if isinstance(found, CONTAINERS):
        return list(found)
    return list(vars(found).values()) if _has_attributes(found) else []
