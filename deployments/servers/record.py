"""The record that the home keeps of a server."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """What the home remembers of a server; `created` is in seconds since the epoch."""

    pid: int
    created: float
    host: str
    nonce: str
    port: int


def read_record(path: Path) -> Record | None:
    """Read a record; return None if it is missing, cut short or damaged."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        record = Record(
            pid=int(document["pid"]),
            created=float(document["created"]),
            host=str(document["host"]),
            nonce=str(document["nonce"]),
            port=int(document["port"]),
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None

    is_possible = record.pid > 0 and 0 < record.port < 2**16 and record.nonce != ""
    return record if is_possible else None


def write_record(path: Path, record: Record) -> None:
    """Write a record for its owner alone, whole or not at all."""
    write_for_owner(path, json.dumps(asdict(record)))


def write_for_owner(path: Path, text: str) -> None:
    """Write a file that its owner alone can open, whole or not at all."""
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())

    part.replace(path)
