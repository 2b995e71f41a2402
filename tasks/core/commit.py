"""The commit: how an output appears, or is swapped for a newer one, in one step."""

import ctypes
import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.digest import file_digest
from tasks.core.errors import AfterfitError, RequestError
from tasks.core.manifest import NAME, QUARANTINE, Manifest
from tasks.core.sources import check_absolute

LOCK_SECONDS = 600
EXCHANGE = 2  # RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS have the same value
FROM_HERE = -100  # AT_FDCWD of Linux


def real_output(output: str) -> Path:
    """Resolve an output path, through symbolic links.

    Raises:
        RequestError: it is a URL, a file, or a folder that afterfit did not write.
    """
    if "://" in output:
        raise RequestError(f"{output}: this version writes scores to folders of this machine only.")
    check_absolute(output)
    path = Path(os.path.realpath(output))
    if path.is_file():
        raise RequestError(f"{path} is a file: name a folder that does not exist yet.")
    names = sorted(child.name for child in path.iterdir()) if path.is_dir() else []
    ours = NAME in names
    if foreign := [name for name in names if not (ours and _is_ours(name))]:  # a swap would delete them
        raise RequestError(f"{path} holds files that are no scores of afterfit ({foreign[0]}): name another folder.")
    return path


def _is_ours(name: str) -> bool:
    return name in {NAME, QUARANTINE} or (name.startswith("part-") and name.endswith(".parquet"))


def staging_of(output: Path) -> Path:
    """Name the folder beside an output in which parts are gathered.

    >>> staging_of(Path("/data/scores")).name
    '.scores.staging'
    """
    return output.parent / f".{output.name}.staging"


def _old_of(output: Path) -> Path:
    return output.parent / f".{output.name}.old"


@contextmanager
def locked(folder: str) -> Iterator[None]:
    """Hold an output's lock: one run at a time writes to it. The lock of a dead process is free.

    Raises:
        RequestError: the folder above the output cannot be written to.
        AfterfitError: another run holds the lock for longer than ten minutes.
    """
    output = Path(folder)
    path = output.parent / f".{output.name}.lock"
    deadline = time.monotonic() + LOCK_SECONDS
    while (descriptor := _try_lock(path)) is None:
        if time.monotonic() > deadline:
            raise AfterfitError(f"Another run has been writing to {output} for {LOCK_SECONDS} s: try again later.")
        time.sleep(0.1)
    try:
        recover(output)
        yield
    finally:
        path.unlink()
        os.close(descriptor)


def _try_lock(path: Path) -> int | None:
    """Lock the file at a path; nothing where another process has it, or has just removed it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
    except OSError as error:
        raise RequestError(f"{path.parent} cannot be written to: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def recover(output: Path) -> None:
    """Finish what a dead process left half done between two renames: the old output comes back."""
    old = _old_of(output)
    if old.exists() and not output.exists():
        old.rename(output)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def fresh_staging(output: str) -> Iterator[Path]:
    """Make an empty staging folder beside an output; nothing of it is left after a commit or a failure."""
    staging = staging_of(Path(output))
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_part(scores: pa.Table, path: Path) -> str:
    """Write one part with page checksums, durably, under its name only when it is whole; give its sha256."""
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("wb") as file:
        pq.write_table(scores, file, compression="zstd", compression_level=1, write_page_checksum=True)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    return file_digest(path)


def commit_output(manifest: Manifest, staging: Path, output: Path) -> None:
    """Put the manifest into the staging folder and make that the output, in one step.

    A reader sees the old output whole or the new one whole. Call it under the output's lock.
    """
    known = {part.name for part in manifest.parts}
    for stray in [path for path in staging.iterdir() if path.name not in known]:  # a dead worker's unfinished part
        stray.unlink()
    with (staging / NAME).open("w", encoding="utf-8") as file:
        file.write(manifest.to_json())
        file.flush()
        os.fsync(file.fileno())
    _sync(staging)
    if (output / NAME).exists():
        swap(staging, output)
    else:
        staging.rename(output)
    _sync(output.parent)


def swap(staging: Path, output: Path) -> None:
    """Exchange two folders where the system can, else move the old one away first."""
    if not exchange(staging, output):
        old = _old_of(output)
        output.rename(old)
        staging.rename(output)
        old.rename(staging)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; tell whether the system did."""
    libc = ctypes.CDLL(None, use_errno=True)
    calls: dict[str, Callable[[], int]] = {
        "linux": lambda: libc.renameat2(FROM_HERE, os.fsencode(one), FROM_HERE, os.fsencode(other), EXCHANGE),
        "darwin": lambda: libc.renamex_np(os.fsencode(one), os.fsencode(other), EXCHANGE),
    }
    try:
        return calls[sys.platform]() == 0
    except (KeyError, AttributeError):
        return False


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
