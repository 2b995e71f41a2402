"""One command: timed from its start to its end, with the memory of all its processes together."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Command:
    """What is run, and the variables it needs beyond our own."""

    arguments: Sequence[str | Path]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """What a command took.

    `peak_mib` is the most that its processes held at one time (resident, summed).
    """

    seconds: float
    peak_mib: float
    output: str = ""


def take(command: Command) -> Taken:
    """Run a command and return what it took; `output` is what it wrote to standard output.

    Raises:
        RuntimeError: it failed; a failure is no measurement.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        begun = time.perf_counter()
        with started(command, output, errors) as process, peak_memory(process.pid) as peak:
            process.wait()
            seconds = time.perf_counter() - begun

        if process.returncode:
            shown = " ".join(map(str, command.arguments))
            said = read(errors).strip()[-500:]
            raise RuntimeError(f"{shown} ended with {process.returncode}: {said}")
        return Taken(seconds, peak[0] / 2**20, read(output))


def read(file: IO[str]) -> str:
    """Read a file that somebody else has written to."""
    file.seek(0)
    return file.read()


@contextmanager
def started(
    command: Command, output: IO[str], errors: IO[str]
) -> Iterator["subprocess.Popen[str]"]:
    """Start a command; nothing of it is left running afterwards, whatever happens."""
    process = subprocess.Popen(
        list(command.arguments),
        env=environment(command.variables),
        stdout=output,
        stderr=errors,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            kill_family(process.pid)
            process.wait()


def kill_family(pid: int) -> None:
    """Kill a process and its descendants."""
    for process in family(pid):
        with suppress(psutil.Error):
            process.kill()


@contextmanager
def peak_memory(pid: int) -> Iterator[list[int]]:
    """Yield a list of one number: the most bytes that a process and its descendants have held."""
    peak, done = [0], threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLE_SECONDS):
            held = sum(resident(process) for process in family(pid))
            peak[0] = max(peak[0], held)

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield peak
    finally:
        done.set()
        sampler.join()


def family(pid: int) -> list[psutil.Process]:
    """List a process and its descendants; none if it has gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def resident(process: psutil.Process) -> int:
    """Return the bytes a process holds; memory that two processes share is counted twice."""
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of every command.

    Bytecode is kept, so that all runs but the first start from it.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONSAFEPATH": "1", **variables}
