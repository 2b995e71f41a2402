"""The sandbox: a process of its own, with limits, in which a model from elsewhere is tried first.

What a crafted file does to it, it does to that process.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tasks.core.errors import RequestError
from tasks.core.metrics import Problem
from tasks.core.tables.columns import Column

PROGRAM = "tasks.core.foreign.trial"
SECONDS = 300
CPU_SECONDS = 240
GRACE_SECONDS = 10  # the process ends itself at its time; after these it is killed
LONGEST_ANSWER = 1 << 20  # bytes
LONGEST_SENTENCE = 2_000  # characters
# What a process needs to start; keys and passwords stay here.
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV")
# Each further thread would take address space, of which there is a limit.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
REQUEST, ANSWER, LOG = "request.json", "answer.json", "trial.log"
MODEL, TABLE, READ = "given.skops", "rows.arrow", "rows.pickle"


@dataclass(frozen=True)
class Request:
    """What a model is tried on; its file and the rows lie in the same folder.

    `shown` is the name of its file, `labels` are the classes of the target, and `rows` the numbers
    of the rows in the source.
    """

    shown: str
    problem: Problem
    target: str
    labels: tuple[Any, ...]
    features: tuple[Column, ...]
    rows: tuple[int, ...]


def try_model(request: Request, folder: Path, seconds: int = SECONDS) -> tuple[Column, ...]:
    """Try a model in a process of its own, on the rows in a folder.

    Args:
        request: what it is tried on.
        folder: holds the model, and the rows in two forms.
        seconds: how long it may take.

    Returns:
        the features in the order in which the model was fitted on them.

    Raises:
        RequestError: the model is refused, or the process did not survive it.
    """
    write_request(request, folder)
    ended = _run(folder, seconds)
    answer = _read_answer(folder / ANSWER) if ended == 0 else {}

    if names := answer.get("features"):
        by_name = {column.name: column for column in request.features}
        return tuple(by_name[name] for name in names)

    reason = answer.get("error") or _reason_of_end(ended, seconds, folder / LOG)
    # What is said of the copy is meant of the file.
    sentence = f"{MODEL}: {reason}".replace(f"{MODEL}: {MODEL}", MODEL).replace(
        MODEL, request.shown
    )
    raise RequestError(sentence[:LONGEST_SENTENCE])


def write_request(request: Request, folder: Path) -> None:
    """Write a request for the process that tries the model."""
    (folder / REQUEST).write_text(json.dumps(asdict(request)), encoding="utf-8")


def read_request(folder: Path) -> Request:
    """Read the request that was written into a folder."""
    document = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    features = tuple(Column(**column) for column in document["features"])
    lists = {"labels": tuple(document["labels"]), "rows": tuple(document["rows"])}
    return Request(**{**document, **lists, "features": features})


def _run(folder: Path, seconds: int) -> int | None:
    """Run the process; return its exit status, negative for a signal, or None if time was up."""
    kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    command = [sys.executable, "-I", "-m", PROGRAM, str(folder), str(seconds)]
    with (folder / LOG).open("wb") as log:
        try:
            ended = subprocess.run(  # noqa: S603 - this Python, and no shell
                command,
                cwd=folder,
                env={**kept, **ONE_THREAD},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=seconds + GRACE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
    return ended.returncode


def _read_answer(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        answer = json.loads(file.read(LONGEST_ANSWER))
    return answer if isinstance(answer, dict) else {}


def _reason_of_end(ended: int | None, seconds: int, log: Path) -> str:
    if ended is None or ended in {-signal.SIGALRM, -signal.SIGXCPU}:
        return (
            f"to open and try it took longer than {seconds} seconds: it is damaged, or too large "
            "to be brought in."
        )
    if ended < 0:
        name = signal.Signals(-ended).name
        return f"the process that tried it crashed ({name}): it is damaged, do not use it."

    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    said = next((line for line in reversed(lines) if line.strip()), "it said nothing")
    return f"the process that tried it failed: {said.strip()}"
