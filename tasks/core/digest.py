"""Digests of small documents: the identity of a run, a source, a training."""

import hashlib
import json
from typing import Any


def digest_of(document: Any) -> str:
    """Give the sha256 of a JSON document, whatever the order of its keys.

    >>> digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    True
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
