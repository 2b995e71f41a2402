"""The verdict: whether a challenger may go live, with the numbers behind it."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


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


def parse_verdict(document: dict[str, Any]) -> Verdict:
    """Return the verdict of a document that `verdict_document` made."""
    return Verdict(
        gates=tuple(Gate(**gate) for gate in document["gates"]),
        rows=document["rows"],
        rows_seen_by_champion=document["rows_seen_by_champion"],
    )


def read_verdict(folder: Path) -> Verdict:
    """Read the verdict that is stored in the folder of a model."""
    text = (folder / "verdict.json").read_text(encoding="utf-8")
    return parse_verdict(json.loads(text))
