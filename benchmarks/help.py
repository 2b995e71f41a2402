"""`afterfit --help` against the import of its command-line library alone."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Contest

AFTERFIT = Path(sys.executable).with_name("afterfit")


@contextmanager
def help_contest() -> Iterator[Contest]:
    """Time the help: it needs no server, no home and none of the large libraries."""
    yield Contest(
        measure="seconds of `afterfit --help` over `import cyclopts`",
        target=3.0,
        ours=lambda _turn: [AFTERFIT, "--help"],
        other=[sys.executable, "-c", "import cyclopts"],
        variables={},
    )
