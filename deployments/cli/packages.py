"""Whose `tasks` and `flows` these are: the names are plain, and a folder on the path may hold
others.
"""

import importlib.util
import sys
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]


def foreign_packages() -> list[str]:
    """List the packages of ours that Python would import from somewhere else."""
    found = {name: importlib.util.find_spec(name) for name in ("tasks", "flows")}
    origins = {name: Path(spec.origin or "").resolve() for name, spec in found.items() if spec}
    return [name for name in found if origins.get(name, Path()).parent != HOUSE / name]


def check_own_packages() -> None:
    """End the process, with a sentence, when `tasks` or `flows` is somebody else's."""
    if others := foreign_packages():
        spec = importlib.util.find_spec(others[0])
        where = spec.origin if spec else "nowhere"
        sys.stderr.write(
            f"afterfit: Python finds another `{others[0]}` ({where}) before afterfit's own: "
            "unset PYTHONPATH, or set PYTHONSAFEPATH=1.\n"
        )
        sys.exit(2)
