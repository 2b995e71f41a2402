"""Inputs: what a run writes down of its source, taken while the source is scored."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from tasks.core.storage.files import open_unbuffered
from tasks.core.storage.location import is_url, open_filesystem
from tasks.core.tables.sources import SourceFile, format_of, identify, source_paths

# Each read waits for Python's lock, which imports on another thread hold most of the time.
READ_BYTES = 1 << 24
MOST_PREFETCHED = 100  # files: to look at very many twice would cost more than it saves


@dataclass(frozen=True)
class Input:
    """One input file: its identity, and what identifies its content.

    `content` is `sha256:...`, or for a file on an object store `store:...`: its ETag, else the time
    of its last change.
    """

    path: str
    size: int
    stamp: str
    digest: str
    content: str


class InputHasher:
    """Describes inputs on one thread, each file once."""

    def __init__(
        self, open_file: Callable[[str], FileIO] = open_unbuffered, read_bytes: int = READ_BYTES
    ) -> None:
        """Start with none.

        Args:
            open_file: opens a file of this machine.
            read_bytes: how many bytes are read at once.
        """
        self._open_file = open_file
        self._buffer = memoryview(bytearray(read_bytes))  # one for all reads: memory costs time too
        self._stop = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="digest")
        self._inputs: dict[SourceFile, Input] = {}  # the thread's own

    def begin(self, files: Sequence[SourceFile]) -> "Future[tuple[Input, ...]]":
        """Describe these files after what was begun before; those that are described stay so."""
        return self._thread.submit(lambda: tuple(self._describe(file) for file in files))

    def prefetch(self, source: str) -> None:
        """Describe the Parquet files of a source, if they are here and not too many.

        What is wrong with it, the run itself will say.
        """
        self._thread.submit(self._prefetch, source)

    def close(self) -> None:
        """Stop, in the middle of a file if need be."""
        self._stop.set()
        self._thread.shutdown(cancel_futures=True)

    def _prefetch(self, source: str) -> None:
        if is_url(source) or not Path(source).exists():
            return

        filesystem, path = open_filesystem(source)
        names = source_paths(filesystem, path)
        is_all_parquet = {format_of(name) for name in names} == {"parquet"}
        if is_all_parquet and len(names) <= MOST_PREFETCHED:
            for name in names:
                file, _ = identify(filesystem, name)
                self._describe(file)

    def _describe(self, file: SourceFile) -> Input:
        if file not in self._inputs:
            self._inputs[file] = describe_input(file, self._hash_content)
        return self._inputs[file]

    def _hash_content(self, path: str) -> str:
        """Return the sha256 of a file of this machine.

        Raises:
            CancelledError: this was closed before the end of the file.
        """
        content = hashlib.sha256()
        with self._open_file(path) as file:
            while size := file.readinto(self._buffer):
                if self._stop.is_set():
                    raise CancelledError(path)
                content.update(self._buffer[:size])
        return content.hexdigest()


def describe_input(file: SourceFile, hash_content: Callable[[str], str]) -> Input:
    """Describe a file: by the sha256 of its content, or on an object store as the store does.

    Args:
        file: the file.
        hash_content: returns the sha256 of a file of this machine.

    Raises:
        OSError: it cannot be read.
    """
    if file.format == "csv":
        content = f"sha256:{file.digest}"  # its identity is that of the whole file already
    elif is_url(file.path):
        content = f"store:{file.stamp}"
    else:
        content = f"sha256:{hash_content(file.path)}"
    return Input(file.path, file.size, file.stamp, file.digest, content)


# Set for the body of `prefetch_digests`: a flow's parameters are JSON, and cannot hold a hasher.
_prefetching: ContextVar[InputHasher | None] = ContextVar("prefetching", default=None)


@contextmanager
def prefetch_digests(source: str) -> Iterator[InputHasher]:
    """Hash a source from now on, for the `hash_inputs` that the body comes to.

    A command imports libraries for seconds on one core before its flow begins.
    """
    hasher = InputHasher()
    token = _prefetching.set(hasher)
    try:
        hasher.prefetch(source)
        yield hasher
    finally:
        _prefetching.reset(token)
        hasher.close()


@contextmanager
def hash_inputs(files: Sequence[SourceFile]) -> Iterator[Callable[[], tuple[Input, ...]]]:
    """Hash the content of each file on a thread of its own while the body works.

    Yields:
        a function that waits for the descriptions of the files, in their order.
    """
    prefetching = _prefetching.get()
    if prefetching:  # its maker closes it
        yield prefetching.begin(files).result
        return

    hasher = InputHasher()
    try:
        yield hasher.begin(files).result
    finally:
        hasher.close()
