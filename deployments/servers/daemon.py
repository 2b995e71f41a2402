"""A background server of ours: how it is recorded, recognised, started, asked and stopped."""

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

HOST = "127.0.0.1"
NONCE = "AFTERFIT_NONCE"
SERVER = "AFTERFIT_SERVER"
STOP_SECONDS = 10.0
TRY_SECONDS = 3.0
CLOCK_SECONDS = 2.0
SETTLE_SECONDS = 1.0
LOG_BYTES = 10_000_000


@dataclass(frozen=True)
class Record:
    """What the home remembers of a server; `created` is in seconds since the epoch."""

    pid: int
    created: float
    host: str
    nonce: str
    port: int


def read_record(path: Path) -> Record | None:
    """Read a record; one that is missing, cut short or damaged is none."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        record = Record(
            int(told["pid"]),
            float(told["created"]),
            str(told["host"]),
            str(told["nonce"]),
            int(told["port"]),
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
    return record if record.pid > 0 and 0 < record.port < 2**16 and record.nonce else None


def write_record(path: Path, record: Record) -> None:
    """Write a record for its owner alone, whole or not at all."""
    part = path.with_suffix(".part")
    with os.fdopen(
        os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(asdict(record), file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def find(record: Record | None) -> psutil.Process | None:
    """Find the live process of a record, or nothing if it is gone or its pid is somebody else's by
    now.
    """
    if record is None:
        return None
    try:
        process = psutil.Process(record.pid)
        return process if is_alive(process) and _is_ours(process, record) else None
    except psutil.Error:
        return None


def _is_ours(process: psutil.Process, record: Record) -> bool:
    # The nonce settles it: a start time shifts with every step of the clock, a host name with the
    # network.
    with contextlib.suppress(psutil.AccessDenied, OSError):
        return process.environ().get(NONCE) == record.nonce
    same_start = (
        record.host == socket.gethostname()
        and abs(process.create_time() - record.created) <= CLOCK_SECONDS
    )
    return same_start and str(record.port) in process.cmdline()


def is_alive(process: psutil.Process) -> bool:
    """Say whether a process still runs; a zombie does not, once the last of its threads has let go
    of its port.
    """
    try:
        zombie = process.status() == psutil.STATUS_ZOMBIE
        return process.is_running() and (not zombie or process.num_threads() > 1)
    except psutil.Error:
        return False


def launch(
    name: str, command: Sequence[str], settings: Mapping[str, str], folder: Path, port: int
) -> Record:
    """Start a server in the background, let go of the caller's terminal and output, and record
    it.
    """
    log = folder / "logs" / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))
    nonce = os.urandom(16).hex()
    # The shell ends at once and the server becomes the system's child: no zombies or pipes for the
    # caller to mind.
    shell = subprocess.run(  # noqa: S603 - our own command
        ["/bin/sh", "-c", 'umask 077; exec "$@" </dev/null >>"$0" 2>&1 & echo $!', log, *command],
        env={**settings, NONCE: nonce, SERVER: name},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        check=True,
    )
    pid = int(shell.stdout)
    try:
        created = psutil.Process(pid).create_time()
    except psutil.Error:
        created = time.time()  # it has ended already; whoever waits for it will say so
    record = Record(pid, created, socket.gethostname(), nonce, port)
    write_record(folder / "servers" / f"{name}.json", record)
    return record


def family(name: str, folder: Path, record: Record | None) -> list[psutil.Process]:
    """List a home's processes of one server, also those whose parent or record is lost."""
    main = find(record)
    found = {main, *main.children(recursive=True)} if main else set()
    marks = {SERVER: name, "AFTERFIT_HOME": str(folder)}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            environ = process.environ()
            if NONCE in environ and marks.items() <= environ.items():
                found.add(process)
    return [process for process in found if is_alive(process)]


def stop(name: str, folder: Path, record: Record | None) -> bool:
    """Stop a server with all its children, gently first, and say whether there was anything to
    stop.
    """
    stopped = False
    for _ in range(3):  # again, for a child that was born meanwhile
        members = family(name, folder, record)
        for signal in (psutil.Process.terminate, psutil.Process.kill):
            stopped = stopped or bool(members)
            for process in members:
                with contextlib.suppress(psutil.Error):
                    signal(process)
            members = _survivors(members)
    return stopped


def _survivors(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    deadline = time.monotonic() + STOP_SECONDS
    while (
        alive := [process for process in processes if is_alive(process)]
    ) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive


def await_health(record: Record, path: str, seconds: float) -> bool:
    """Wait until a server answers; end early if it dies."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        process = find(record)
        if process is None:
            return False
        if answers(record.port, path) and _holds(process, record.port):
            return True
        time.sleep(0.05)
    return False


def answers(port: int, path: str, seconds: float = TRY_SECONDS) -> bool:
    """Ask a server on this machine for its health, past any proxy; an HTTP library would cost more
    than the answer.
    """
    try:
        with (
            socket.create_connection((HOST, port), seconds) as client,
            client.makefile("rb") as answer,
        ):
            client.sendall(f"GET {path} HTTP/1.0\r\nHost: {HOST}:{port}\r\n\r\n".encode())
            return b" 200 " in answer.readline(64)
    except OSError:
        return False


def _holds(process: psutil.Process, port: int) -> bool:
    """Say whether the port is held by this process or a child, not by a stranger who was faster."""
    try:
        held = (
            link
            for member in (process, *process.children())
            for link in member.net_connections("tcp")
        )
        return any(link.status == psutil.CONN_LISTEN and link.laddr.port == port for link in held)
    except psutil.Error:
        return is_alive(process)


def is_listening(port: int) -> bool:
    """Say whether anybody listens on a port of this machine."""
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex((HOST, port)) == 0


def is_free(port: int) -> bool:
    """Say whether a server could listen on a port."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError:
            return False
    return not is_listening(port)  # macOS lets two servers bind one port


def settle(port: int) -> None:
    """Wait a moment for the system to take a port back from a server that was killed."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not is_free(port) and time.monotonic() < deadline:
        time.sleep(0.02)


def last_line(path: Path) -> str:
    """Return the last line of a log that says anything."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace")[-8000:].split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
