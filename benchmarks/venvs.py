"""A virtual environment for each peer, made the first time it is asked for."""

import hashlib
import subprocess
import sys
from pathlib import Path

from benchmarks.command import environment
from benchmarks.contest import tell
from benchmarks.result import RESULTS
from benchmarks.scripts import FOLDER


def python_of(peer: str, folder: Path = RESULTS / "venvs") -> Path:
    """Return the interpreter of a peer, with what `peers/<peer>.txt` pins installed.

    Another list is another folder.
    """
    wanted = FOLDER / f"{peer}.txt"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    venv = folder / f"{peer}-{digest[:8]}"
    python = venv / "bin" / "python"

    ready = venv / "ready"
    if not ready.exists():
        tell(f"installing {peer} into {venv}")
        _run(sys.executable, "-m", "venv", "--clear", venv)
        install = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--compile-bytecode")
        _run(*install, "--python", python, "--requirement", wanted)
        ready.touch()
    return python


def _run(*command: str | Path) -> None:
    subprocess.run(command, env=environment({}), check=True, stdout=sys.stderr)
