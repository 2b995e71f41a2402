"""Check that `tasks` and `flows` are afterfit's own.

The names are plain: another package of that name may come first on `sys.path`.
"""

import importlib.util
import sys
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
NAMES = ("tasks", "flows")


def check_own_packages() -> None:
    """End the process, with a sentence, if `tasks` or `flows` is somebody else's."""
    for name in NAMES:
        origin = _origin_of(name)
        if origin is None or origin.resolve().parent != HOUSE / name:
            sys.stderr.write(
                f"afterfit: Python finds another `{name}` ({_shown(origin)}) before "
                "afterfit's own: unset PYTHONPATH, or set PYTHONSAFEPATH=1.\n"
            )
            sys.exit(2)


def _origin_of(name: str) -> Path | None:
    """Return the file that Python would import a package from; None if there is none."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin)


def _shown(origin: Path | None) -> str:
    """Return a path without what a terminal would obey."""
    if origin is None:
        return "nowhere"
    return str(origin).encode("unicode_escape").decode("ascii")
