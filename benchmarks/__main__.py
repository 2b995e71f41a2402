"""Run the benchmarks, by default all of them, and print one Markdown table.

Each row is a ratio of medians, of commands that took turns in this run; numbers of other runs say
nothing.
"""

import argparse
import importlib
import signal
import sys
from collections.abc import Callable, Iterable

from benchmarks.result import HEADER, Result, row, write_result
from benchmarks.workshop import Workshop, open_workshop

# Each is a function in the module of its name; the quick ones come first.
QUICK = ("help", "small_score", "kernel", "many_tasks")
LONG = ("boosting", "forest", "linear", "mixed", "resume", "peers", "boosting_50m")
BENCHMARKS = (*QUICK, *LONG)


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for, printing each row as it is done.

    Returns:
        the exit status: 0 if all could be measured.
    """
    asked = parse(arguments)
    signal.signal(signal.SIGTERM, interrupted)
    print(HEADER, flush=True)

    with open_workshop(asked.scale, asked.runs, keep=asked.keep) as workshop:
        failed = run(asked.name or BENCHMARKS, workshop)
    return 1 if failed else 0


def run(names: Iterable[str], workshop: Workshop) -> list[str]:
    """Run benchmarks; return the names of those that failed."""
    failed = []
    for name in names:
        try:
            results = find(name)(workshop)
        except Exception as error:  # noqa: BLE001 - the others can be measured all the same
            failed.append(name)
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            continue

        for result in results:
            write_result(result)
            print(row(result), flush=True)
    return failed


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    names = ", ".join(BENCHMARKS)
    runs = "runs of each command; by default 5 of the short ones, 3 of the others"
    scale = "a share of the rows, for a try: 0.05"
    keep = "keep the tables for the next time"

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", metavar="NAME", help=names)
    parser.add_argument("--runs", type=int, help=runs)
    parser.add_argument("--scale", type=float, default=1.0, help=scale)
    parser.add_argument("--keep", action="store_true", help=keep)

    asked = parser.parse_args(arguments)
    unknown = sorted(set(asked.name) - set(BENCHMARKS))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}: there are {names}")
    return asked


def find(name: str) -> Callable[[Workshop], list[Result]]:
    """Find a benchmark.

    Its module is imported when it runs, so that one that cannot be leaves the others alone.
    """
    module = importlib.import_module(f"benchmarks.{name}")
    benchmark: Callable[[Workshop], list[Result]] = getattr(module, name)
    return benchmark


def interrupted(*_: object) -> None:
    """End as Ctrl-C does, so that servers are stopped and tables deleted."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
