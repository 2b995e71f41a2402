"""The verdict: whether a challenger may go live, with the numbers behind it."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tasks.core.errors import RequestError
from tasks.core.model.version import ModelVersion, read_files

VERDICT_NAME = "verdict.json"
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Gate:
    """The outcome of one check: what was found, what is allowed, and a sentence about it."""

    name: str
    passed: bool
    found: float | None
    allowed: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of all gates.

    `rows` is the number of held-out rows that judged; `rows_seen_by_champion` the number of those
    that did not, as the champion may have been trained on them.
    """

    gates: tuple[Gate, ...]
    rows: int
    rows_seen_by_champion: int = 0

    @property
    def passed(self) -> bool:
        """Whether the challenger passed every gate."""
        return all(gate.passed for gate in self.gates)

    @property
    def reasons(self) -> list[str]:
        """The sentences of the gates that the challenger did not pass."""
        return [gate.reason for gate in self.gates if not gate.passed]


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as a JSON document.

    >>> verdict_document(Verdict((), 5))
    {'passed': True, 'rows': 5, 'rows_seen_by_champion': 0, 'gates': []}
    """
    gates = [{**asdict(gate), "found": _finite_or_none(gate.found)} for gate in verdict.gates]
    return {
        "passed": verdict.passed,
        "rows": verdict.rows,
        "rows_seen_by_champion": verdict.rows_seen_by_champion,
        "gates": gates,
    }


def _finite_or_none(metric: float | None) -> float | None:
    """Return None in place of NaN and infinity, which JSON does not have."""
    if metric is None or not math.isfinite(metric):
        return None

    return metric


def parse_verdict(document: Mapping[str, Any]) -> Verdict:
    """Return the verdict of a document that `verdict_document` made.

    Raises:
        TypeError: what a gate says is neither true nor false.
    """
    gates = tuple(Gate(**gate) for gate in document["gates"])
    if not all(isinstance(gate.passed, bool) for gate in gates):
        raise TypeError("a gate says neither true nor false")

    return Verdict(
        gates=gates,
        rows=document["rows"],
        rows_seen_by_champion=document["rows_seen_by_champion"],
    )


def read_verdict(version: ModelVersion) -> Verdict:
    """Read the verdict that is stored with a version, under its digest.

    Raises:
        RequestError: there is none, or the files are not those that were registered.
    """
    content = read_files(version, VERDICT_NAME).get(VERDICT_NAME, b"")
    try:
        return parse_verdict(json.loads(content))
    except UNREADABLE as error:
        raise RequestError(
            f"{version.title} has no verdict that can be read ({error}): train it again."
        ) from error


def with_evidence(version: ModelVersion, content: bytes) -> ModelVersion:
    """Return a version with what its verdict says, and how it came about.

    Args:
        version: a registered version.
        content: the document that stands under its digest; empty where there is none.
    """
    try:
        document = json.loads(content)
        passed = parse_verdict(document).passed
    except UNREADABLE:
        return version  # it scores as it did, but nothing says that it may go live

    against = document.get("judged_against")
    key = document.get("training_key")
    return replace(
        version,
        passed=passed,
        judged_against=against if isinstance(against, int) else None,
        training_key=key if isinstance(key, str) else "",
    )
