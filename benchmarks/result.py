"""Results: the ratio of two medians beside its target, as a row of a table and as a JSON file."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.machine import describe_machine

RESULTS = Path(__file__).resolve().parent / "results"
COLUMNS = ("measure", "ours", "other", "ratio", "target", "met", "peak MiB", "ratio in each run")
HEADER = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"
SHOWN = {"s": "{:.3g} s", "rows/s": "{:,.0f} rows/s", "MiB": "{:,.0f} MiB", "rows": "{:,.0f} rows"}


@dataclass(frozen=True)
class Target:
    """What a ratio has to be: `at least` or `at most` a number."""

    bound: str
    value: float

    def met(self, ratio: float) -> bool:
        """Return whether a ratio is good enough."""
        if self.bound == "at least":
            return ratio >= self.value
        return ratio <= self.value


def at_least(value: float) -> Target:
    """Ask for ours to be so many times the other."""
    return Target("at least", value)


def at_most(value: float) -> Target:
    """Allow ours to be so many times the other."""
    return Target("at most", value)


@dataclass(frozen=True)
class Result:
    """What a benchmark found.

    `ours` and `other` are medians in `unit`, `ratio` is that of the two; `lowest` and `highest` are
    the ratios of any one run.
    """

    name: str
    measure: str
    unit: str
    ours: float
    other: float
    ratio: float
    target: float
    bound: str
    met: bool
    lowest: float
    highest: float
    runs: int
    peak_mib: float | None
    machine: dict[str, str | int | float] = field(default_factory=describe_machine)


def compare(
    name: str,
    measure: str,
    unit: str,
    ours: Sequence[float],
    other: Sequence[float],
    target: Target,
    peak_mib: float | None = None,
) -> Result:
    """Make a result of what all runs took: its ratio is that of the medians."""
    our_median = statistics.median(ours)
    other_median = statistics.median(other)
    ratio = our_median / other_median
    each = [mine / theirs for mine, theirs in zip(ours, other, strict=True)]

    return Result(
        name,
        measure,
        unit,
        ours=round(our_median, 4),
        other=round(other_median, 4),
        ratio=round(ratio, 4),
        target=target.value,
        bound=target.bound,
        met=target.met(ratio),
        lowest=round(min(each), 4),
        highest=round(max(each), 4),
        runs=len(ours),
        peak_mib=peak_mib and round(peak_mib, 1),
    )


def row(result: Result) -> str:
    """Return a result as a row of a Markdown table."""
    show = SHOWN[result.unit].format
    cells = [
        f"`{result.name}` {result.measure}",
        show(result.ours),
        show(result.other),
        f"{result.ratio:.2f}",
        f"{result.bound} {result.target:g}",
        _verdict(result),
        f"{result.peak_mib:,.0f}" if result.peak_mib else "",
        f"{result.lowest:.2f} to {result.highest:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _verdict(result: Result) -> str:
    """Say whether the target is met, and whether the other wins."""
    if result.met:
        return "yes"
    if result.bound == "at least" and result.ratio < 1:
        return "no: the other is better"
    return "no"


def write_result(result: Result, folder: Path = RESULTS) -> Path:
    """Write a result as `<name>.json`; the last one is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.name}.json"
    document = json.dumps(asdict(result), indent=1)
    path.write_text(f"{document}\n", encoding="utf-8")
    return path
