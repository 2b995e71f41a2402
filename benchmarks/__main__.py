"""Run one benchmark or all of them: `python -m benchmarks [NAME] [--runs N]`."""

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager

from benchmarks.help import help_contest
from benchmarks.measure import Contest, Result, hold, write_result
from benchmarks.small_score import small_score_contest

BENCHMARKS: dict[str, Callable[[], AbstractContextManager[Contest]]] = {
    "help": help_contest,
    "small_score": small_score_contest,
}
HEADER = "| benchmark | ours (s) | other (s) | ratio | target | met |\n|---|---|---|---|---|---|"


def main() -> None:
    """Run the benchmarks asked for, and print a row of a table for each as it is done."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(BENCHMARKS), help="one benchmark; by default all of them")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each command, after one warm-up")
    asked = parser.parse_args()
    print(HEADER, flush=True)
    for name in [asked.name] if asked.name else BENCHMARKS:
        with BENCHMARKS[name]() as contest:
            result = hold(contest, asked.runs)
        write_result(name, result)
        print(row(name, result), flush=True)


def row(name: str, result: Result) -> str:
    """Write a result as a row of a Markdown table."""
    met = "yes" if result.ratio <= result.target else "no"
    figures = f"{result.ours:.3f} | {result.other:.3f} | {result.ratio:.2f}"
    return f"| {name} | {figures} | at most {result.target:g} | {met} |"


if __name__ == "__main__":
    main()
