"""The verdict: whether a challenger may go live, with the numbers behind it."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Gate:
    """One check: what was found, what is allowed, and a sentence about it."""

    name: str
    passed: bool
    found: float | None
    allowed: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of all gates."""

    gates: tuple[Gate, ...]
    rows: int
    rows_seen_by_champion: int = 0

    @property
    def passed(self) -> bool:
        """Whether every gate let the challenger through."""
        return all(gate.passed for gate in self.gates)

    @property
    def reasons(self) -> list[str]:
        """What spoke against the challenger, one sentence a gate."""
        return [gate.reason for gate in self.gates if not gate.passed]


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """Make a verdict a JSON document.

    >>> verdict_document(Verdict((), 5))
    {'passed': True, 'rows': 5, 'rows_seen_by_champion': 0, 'gates': []}
    """
    return {
        "passed": verdict.passed,
        "rows": verdict.rows,
        "rows_seen_by_champion": verdict.rows_seen_by_champion,
        "gates": [{**asdict(gate), "found": _finite(gate.found)} for gate in verdict.gates],
    }


def _finite(figure: float | None) -> float | None:
    """Leave out what JSON cannot write."""
    return figure if figure is not None and math.isfinite(figure) else None


def parse_verdict(document: dict[str, Any]) -> Verdict:
    """Read what `verdict_document` made."""
    gates = tuple(Gate(**gate) for gate in document["gates"])
    return Verdict(gates, document["rows"], document["rows_seen_by_champion"])


def read_verdict(folder: Path) -> Verdict:
    """Read the verdict that is stored with a model."""
    return parse_verdict(json.loads((folder / "verdict.json").read_text(encoding="utf-8")))
