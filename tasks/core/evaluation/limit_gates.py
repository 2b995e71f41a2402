"""Limits: what a metric of the challenger must stay within."""

from collections.abc import Mapping

import numpy as np

from tasks.core.evaluation.comparison import Comparison
from tasks.core.evaluation.verdict import Gate
from tasks.core.spec.sections import Limit


def limit_gates(comparison: Comparison) -> list[Gate]:
    """Return a gate for each limit of the spec."""
    return judge_limits(comparison.metrics, comparison.spec.gates.limits)


def judge_limits(metrics: Mapping[str, float], limits: Mapping[str, Limit]) -> list[Gate]:
    """Check each limited metric; one that is missing or not a number does not pass.

    >>> [gate.reason for gate in judge_limits({"mae": 61.5}, {"mae": Limit(max=60)})]
    ['mae is 61.5, allowed is at most 60']
    """
    gates = []
    for name, limit in limits.items():
        found = metrics.get(name, float("nan"))
        gates.append(_judge_limit(name, found, limit))
    return gates


def _judge_limit(name: str, found: float, limit: Limit) -> Gate:
    low, high = -np.inf, np.inf
    bounds = []
    if limit.min is not None:
        low = limit.min
        bounds.append(f"at least {low:g}")
    if limit.max is not None:
        high = limit.max
        bounds.append(f"at most {high:g}")

    allowed = " and ".join(bounds)
    return Gate(
        name=f"limit of {name}",
        passed=bool(low <= found <= high),
        found=found,
        allowed=allowed,
        reason=f"{name} is {found:.4g}, allowed is {allowed}",
    )
