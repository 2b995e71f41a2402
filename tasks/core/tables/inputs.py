"""Inputs: what a run writes down of its source, taken while libraries are imported and while the
source is scored.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.core.storage.files import open_unbuffered
from tasks.core.storage.location import is_url, open_filesystem
from tasks.core.tables.sources import SourceFile, format_of, identify, source_paths

READ_BYTES = (
    1 << 24
)  # each read waits for the GIL, which imports on another thread hold most of the time
MOST_AHEAD = 100  # to look at very many files twice would cost more than it saves


@dataclass(frozen=True)
class Input:
    """One input file: its identity, and what tells its content.

    That is `sha256:...`, or for a file on an object store `store:...`: its ETag, else the time of
    its last change.
    """

    path: str
    size: int
    stamp: str
    digest: str
    content: str


class InputHasher:
    """Inputs described on one thread, each file once."""

    def __init__(self) -> None:
        """Start with none."""
        self._stop = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="digest")
        self._inputs: dict[SourceFile, Input] = {}  # the thread's own

    def begin(self, files: Sequence[SourceFile]) -> "Future[tuple[Input, ...]]":
        """Describe these files, but for those described already, when what was begun before is
        done.
        """
        return self._thread.submit(lambda: tuple(self._describe(file) for file in files))

    def look_ahead(self, source: str) -> None:
        """Describe the Parquet files of a source, if they are here and not too many.

        What is wrong with it, the run will tell.
        """
        self._thread.submit(self._look_ahead, source)

    def close(self) -> None:
        """Stop in the middle of a file, if need be."""
        self._stop.set()
        self._thread.shutdown(cancel_futures=True)

    def _look_ahead(self, source: str) -> None:
        if is_url(source) or not Path(source).exists():
            return
        filesystem, path = open_filesystem(source)
        names = source_paths(filesystem, path)
        if len(names) <= MOST_AHEAD and {format_of(name) for name in names} == {"parquet"}:
            for name in names:
                self._describe(identify(filesystem, name))

    def _describe(self, file: SourceFile) -> Input:
        if file not in self._inputs:
            self._inputs[file] = describe_input(file, self._stop)
        return self._inputs[file]


_ahead: list[InputHasher] = []  # one at most, until `digesting` takes it over


@contextmanager
def prefetch_digests(source: str) -> Iterator[None]:
    """Digest a source from now on, for the `digesting` that the body comes to after seconds of
    imports on one core.
    """
    digests = InputHasher()
    _ahead.append(digests)
    try:
        digests.look_ahead(source)
        yield
    finally:
        _ahead.clear()
        digests.close()


@contextmanager
def digesting(files: Sequence[SourceFile]) -> Iterator[Callable[[], tuple[Input, ...]]]:
    """Digest the content of each file on a thread of its own while the body works; give what waits
    for it.
    """
    digests = _ahead.pop() if _ahead else InputHasher()
    try:
        yield digests.begin(files).result
    finally:
        digests.close()


def describe_input(file: SourceFile, stop: threading.Event | None = None) -> Input:
    """Describe a file: the sha256 of its content, or for one on an object store what the store
    tells it by.

    Raises:
        CancelledError: `stop` was set before the end of the file.
        OSError: it cannot be read.
    """
    if file.format == "csv":
        content = f"sha256:{file.digest}"  # its identity is that of the whole file already
    elif is_url(file.path):
        content = f"store:{file.stamp}"
    else:
        content = f"sha256:{_sha256(file.path, stop or threading.Event())}"
    return Input(file.path, file.size, file.stamp, file.digest, content)


def _sha256(path: str, stop: threading.Event) -> str:
    content, buffer = (
        hashlib.sha256(),
        memoryview(bytearray(READ_BYTES)),
    )  # one for all reads: memory costs time too
    with open_unbuffered(path) as file:
        while size := file.readinto(buffer):
            if stop.is_set():
                raise CancelledError(path)
            content.update(buffer[:size])
    return content.hexdigest()
