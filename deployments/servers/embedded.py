"""The embedded servers of a home: how they are brought up, and stopped."""

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deployments.servers import daemon
from deployments.servers.kinds import KINDS, ServerKind
from deployments.servers.ports import (
    HOST,
    REQUEST_SECONDS,
    await_free,
    is_free,
    is_healthy,
    is_listening,
)
from deployments.servers.record import Record, read_record
from tasks.core.errors import AfterfitError

PORTS_TRIED = 100


@dataclass(frozen=True)
class Timeouts:
    """How long a server is waited for."""

    start_seconds: float = 120.0  # until a new one answers
    recover_seconds: float = 10.0  # until one that runs already answers
    request_seconds: float = REQUEST_SECONDS
    stop_seconds: float = daemon.STOP_SECONDS


TIMEOUTS = Timeouts()


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Let one process at a time start and stop the servers of a home, and make their folders."""
    for name in ("servers", "logs", *(kind.name for kind in KINDS)):
        (folder / name).mkdir(mode=0o700, exist_ok=True)

    descriptor = os.open(folder / "servers" / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def recorded(kind: ServerKind, folder: Path) -> Record | None:
    """Return what a home remembers of its server, running or not."""
    path = folder / "servers" / f"{kind.name}.json"
    return read_record(path)


def start(
    kinds: Sequence[ServerKind], folder: Path, timeouts: Timeouts = TIMEOUTS
) -> dict[ServerKind, Record]:
    """Return the servers of a home, by kind, all running and answering.

    Those that do not run are started; a healthy one is left alone.

    Raises:
        AfterfitError: one does not start.
    """
    running = {kind: reuse(kind, folder, timeouts) for kind in kinds}
    records = {kind: record for kind, record in running.items() if record}

    # All are launched before one is waited for: they start side by side.
    launched = {kind: launch(kind, folder) for kind in kinds if kind not in records}
    for kind, record in launched.items():
        records[kind] = wait(kind, folder, record, timeouts)
    return records


def stop(kinds: Sequence[ServerKind], folder: Path) -> list[str]:
    """Stop the servers of a home with all their children; return the names of those that ran."""
    stopped = []
    for kind in kinds:
        record = recorded(kind, folder)
        if daemon.stop(kind.name, folder, record):
            stopped.append(kind.name)
    return stopped


def reuse(kind: ServerKind, folder: Path, timeouts: Timeouts) -> Record | None:
    """Return the running server of a home, or None if there is none.

    What is left of one that does not answer, or that lost its record, is stopped.
    """
    record = recorded(kind, folder)
    if record and daemon.find(record):
        if is_healthy(record.port, kind.health, timeouts.request_seconds):
            return record
        if _recovers(kind, record, timeouts):
            return record

    daemon.stop(kind.name, folder, record, timeouts.stop_seconds)
    return None


def _recovers(kind: ServerKind, record: Record, timeouts: Timeouts) -> bool:
    """Wait for a server that runs, but does not answer; return whether it answers in the end."""
    seconds = timeouts.recover_seconds
    if not is_listening(record.port):
        # It is still starting: whoever started it was interrupted.
        left = timeouts.start_seconds - (time.time() - record.created)
        seconds = max(seconds, left)
    return daemon.await_health(record, kind.health, seconds, timeouts.request_seconds)


def launch(kind: ServerKind, folder: Path) -> Record:
    """Start a server, and return its record without waiting for it.

    Raises:
        AfterfitError: no port is free.
    """
    port = _choose_port(kind, recorded(kind, folder))
    arguments = kind.arguments.format(host=HOST, port=port)
    command = [sys.executable, "-m", *arguments.split()]
    environment = kind.environment(folder, port)
    return daemon.launch(kind.name, command, environment, folder, port)


def _choose_port(kind: ServerKind, record: Record | None) -> int:
    """Return the port a server had before, else the preferred one, else the next that is free."""
    preferred = int(os.environ.get(f"AFTERFIT_{kind.name.upper()}_PORT") or kind.port)
    ports = list(range(preferred, min(preferred + PORTS_TRIED, 2**16)))
    if record:
        await_free(record.port)
        ports.insert(0, record.port)

    for port in ports:
        if is_free(port):
            return port
    raise AfterfitError(f"No port is free for the {kind.title} server from {preferred} on.")


def wait(kind: ServerKind, folder: Path, record: Record, timeouts: Timeouts) -> Record:
    """Wait until a server answers, and return its record.

    It is started again, on another port, if somebody took its port while it was starting.

    Raises:
        AfterfitError: it does not answer in time, or ended; with the last line of its log.
    """
    for _ in range(3):
        if daemon.await_health(
            record, kind.health, timeouts.start_seconds, timeouts.request_seconds
        ):
            return record
        if daemon.find(record) or is_free(record.port):
            break
        record = launch(kind, folder)

    log = folder / "logs" / f"{kind.name}.log"
    fate = "ended while starting"
    if daemon.stop(kind.name, folder, record, timeouts.stop_seconds):
        fate = f"did not answer in {timeouts.start_seconds:.0f} s"
    last_line = daemon.read_last_line(log) or "it said nothing"
    raise AfterfitError(f"The {kind.title} server {fate}: {last_line} (see {log}).")
