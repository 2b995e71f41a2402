"""The contents of a model: every object inside it."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np


def objects_inside(whole: Any) -> Iterator[Any]:
    """Find every object with attributes that an object holds, itself first, each once."""
    waiting, seen = [whole], {id(whole): whole}
    while waiting:
        found = waiting.pop()
        parts: list[Any] = []
        if isinstance(found, dict):
            parts = list(found.values())
        elif isinstance(found, list | tuple | set | frozenset):
            parts = list(found)
        elif isinstance(found, np.ndarray):
            parts = found.ravel().tolist() if found.dtype == object else []
        elif not isinstance(found, type | ModuleType) and hasattr(found, "__dict__"):
            yield found
            parts = list(vars(found).values())
        for part in parts:
            if id(part) not in seen:
                seen[id(part)] = part
                waiting.append(part)
