"""Run the benchmarks, by default all of them, and print one Markdown table.

Each row is a ratio of medians, of commands that took turns in this run; figures of other runs say
nothing.
"""

import argparse
import importlib
import signal
import sys
from collections.abc import Callable

from benchmarks.result import HEADER, Result, row, write_result
from benchmarks.workshop import Workshop, open_workshop

# Each is a function in the module of its name; the quick ones come first.
BENCHMARKS = (
    "help", "small_score", "kernel", "many_tasks", "boosting", "forest", "linear", "mixed", "resume", "peers",
    "boosting_50m",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for, printing each row as it is done; the exit status is 0 if all could be
    measured.
    """
    asked = parse(arguments)
    signal.signal(signal.SIGTERM, interrupted)
    print(HEADER, flush=True)
    failed = 0
    with open_workshop(asked.scale, asked.runs, keep=asked.keep) as workshop:
        for name in asked.name or BENCHMARKS:
            try:
                results = find(name)(workshop)
            except Exception as error:  # noqa: BLE001 - the others can be measured all the same
                failed += 1
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                continue
            for result in results:
                write_result(result)
                print(row(result), flush=True)
    return min(failed, 1)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument(
        "--runs",
        type=int,
        help="runs of each command; by default 5 of the short ones, 3 of the others",
    )
    parser.add_argument(
        "--scale", type=float, default=1.0, help="a share of the rows, for a try: 0.05"
    )
    parser.add_argument("--keep", action="store_true", help="keep the tables for the next time")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.name) - set(BENCHMARKS):
        parser.error(
            f"there is no benchmark {', '.join(sorted(unknown))}: there are {', '.join(BENCHMARKS)}"
        )
    return asked


def find(name: str) -> Callable[[Workshop], list[Result]]:
    """Find a benchmark; its module is imported when it runs, so that one that cannot be leaves the
    others alone.
    """
    found: Callable[[Workshop], list[Result]] = getattr(
        importlib.import_module(f"benchmarks.{name}"), name
    )
    return found


def interrupted(*_: object) -> None:
    """End as Ctrl-C does, so that servers are stopped and tables deleted."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
