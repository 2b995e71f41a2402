"""A background process of ours: how it is started, recognised, asked for its health and stopped."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import psutil

from deployments.servers.ports import REQUEST_SECONDS, is_healthy
from deployments.servers.record import Record, write_record

Answer = TypeVar("Answer")

NONCE = "AFTERFIT_NONCE"
SERVER = "AFTERFIT_SERVER"
STOP_SECONDS = 10.0  # for each of the two signals: terminate, then kill
CLOCK_SECONDS = 2.0
EXEC_SECONDS = 0.5
LOG_BYTES = 10_000_000
# The shell ends at once and the server becomes the system's child: no zombies or pipes for the
# caller to mind.
IN_BACKGROUND = 'umask 077; exec "$@" </dev/null >>"$0" 2>&1 & echo $!'


def launch(
    name: str, command: Sequence[str], settings: Mapping[str, str], folder: Path, port: int
) -> Record:
    """Start a server in the background and record it.

    It lets go of the caller's terminal and output, and writes its own into a log of the home.
    """
    log = folder / "logs" / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))

    nonce = os.urandom(16).hex()
    shell = subprocess.run(  # noqa: S603 - our own command
        ["/bin/sh", "-c", IN_BACKGROUND, log, *command],
        env={**settings, NONCE: nonce, SERVER: name},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        check=True,
    )
    pid = int(shell.stdout)
    record = Record(pid, _start_time(pid), socket.gethostname(), nonce, port)
    write_record(folder / "servers" / f"{name}.json", record)
    return record


def _start_time(pid: int) -> float:
    """Return when a process was started, in seconds since the epoch."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return time.time()  # it has ended already; whoever waits for it will say so


def find(record: Record | None) -> psutil.Process | None:
    """Return the live process of a record; None if it is gone or its pid is another's by now."""
    if record is None:
        return None

    try:
        process = psutil.Process(record.pid)
        is_ours = is_alive(process) and _is_recorded(process, record)
    except psutil.Error:
        return None
    return process if is_ours else None


def _is_recorded(process: psutil.Process, record: Record) -> bool:
    """Return whether a process is the one that was recorded."""
    # The nonce settles it: a start time shifts with every step of the clock, a host name with the
    # network.
    with contextlib.suppress(psutil.AccessDenied, OSError):
        return _read(process.environ).get(NONCE) == record.nonce

    if record.host != socket.gethostname():
        return False
    if str(record.port) not in _read(process.cmdline):
        return False
    return abs(process.create_time() - record.created) <= CLOCK_SECONDS


def _read(ask: Callable[[], Answer]) -> Answer:
    """Return what a process tells of itself: for a moment of its exec, Linux shows it empty."""
    deadline = time.monotonic() + EXEC_SECONDS
    while not (answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.001)
    return answer


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process still runs.

    A zombie does not, once the last of its threads has let go of its port.
    """
    try:
        is_zombie = process.status() == psutil.STATUS_ZOMBIE
        return process.is_running() and (not is_zombie or process.num_threads() > 1)
    except psutil.Error:
        return False


def find_family(name: str, folder: Path, record: Record | None) -> list[psutil.Process]:
    """Return a home's processes of one server, also those whose parent or record is lost."""
    found = set()
    if main := find(record):
        found = {main, *main.children(recursive=True)}

    marks = {SERVER: name, "AFTERFIT_HOME": str(folder)}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            environ = process.environ()
            if NONCE in environ and marks.items() <= environ.items():
                found.add(process)

    return [process for process in found if is_alive(process)]


def stop(name: str, folder: Path, record: Record | None, seconds: float = STOP_SECONDS) -> bool:
    """Stop a server with all its children, gently first; return whether there was any to stop."""
    stopped = False
    for _ in range(3):  # again, for a child that was born meanwhile
        members = find_family(name, folder, record)
        stopped = stopped or bool(members)
        survivors = _end(members, psutil.Process.terminate, seconds)
        _end(survivors, psutil.Process.kill, seconds)

    return stopped


def _end(
    processes: Iterable[psutil.Process], send: Callable[[psutil.Process], None], seconds: float
) -> list[psutil.Process]:
    """Send a signal to processes, wait for their end, and return those that survive."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            send(process)

    deadline = time.monotonic() + seconds
    alive = [process for process in processes if is_alive(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(0.02)
        alive = [process for process in alive if is_alive(process)]
    return alive


def await_health(
    record: Record, path: str, seconds: float, request_seconds: float = REQUEST_SECONDS
) -> bool:
    """Wait until a server answers, and return whether it does; end early if it dies."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        process = find(record)
        if process is None:
            return False
        if is_healthy(record.port, path, request_seconds) and _holds(process, record.port):
            return True
        time.sleep(0.05)

    return False


def _holds(process: psutil.Process, port: int) -> bool:
    """Return whether this process or a child holds a port, not a stranger who was faster."""
    try:
        for member in (process, *process.children()):
            for link in member.net_connections("tcp"):
                if link.status == psutil.CONN_LISTEN and link.laddr.port == port:
                    return True
    except psutil.Error:
        return is_alive(process)
    return False


def read_last_line(path: Path) -> str:
    """Return the last line of a log that is not blank; an empty string if there is none."""
    try:
        end = path.read_text(encoding="utf-8", errors="replace")[-8000:]
    except OSError:
        return ""

    lines = [line.strip() for line in end.split("\n") if line.strip()]
    return lines[-1] if lines else ""
