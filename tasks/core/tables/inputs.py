"""Inputs: what a run writes down of its source, taken while the source is scored."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO

from tasks.core.storage.files import open_unbuffered
from tasks.core.storage.location import is_url
from tasks.core.tables.open_files import changed, state_of
from tasks.core.tables.sources import SourceFile

# Each read waits for Python's lock, which the threads that score hold most of the time.
READ_BYTES = 1 << 24


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
    """Describes inputs on a thread of its own."""

    def __init__(
        self, open_file: Callable[[str], FileIO] = open_unbuffered, read_bytes: int = READ_BYTES
    ) -> None:
        """Start the thread.

        Args:
            open_file: opens a file of this machine.
            read_bytes: how many bytes are read at once.
        """
        self._open_file = open_file
        self._buffer = memoryview(bytearray(read_bytes))  # one for all reads: memory costs time too
        self._stop = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="digest")

    def begin(self, files: Sequence[SourceFile]) -> "Future[tuple[Input, ...]]":
        """Begin to describe these files."""
        return self._thread.submit(
            lambda: tuple(describe_input(file, self._hash_content) for file in files)
        )

    def close(self) -> None:
        """Stop, in the middle of a file if need be."""
        self._stop.set()
        self._thread.shutdown(cancel_futures=True)

    def _hash_content(self, file: SourceFile) -> str:
        """Return the sha256 of a file of this machine.

        Raises:
            CancelledError: this was closed before the end of the file.
            SourceChangedError: it is no longer the file that was identified.
        """
        content = hashlib.sha256()
        with self._open_file(file.path) as opened:
            while size := opened.readinto(self._buffer):
                if self._stop.is_set():
                    raise CancelledError(file.path)
                content.update(self._buffer[:size])

            if state_of(opened.fileno()).revision != file.revision:
                raise changed(file.path)
        return content.hexdigest()


def describe_input(file: SourceFile, hash_content: Callable[[SourceFile], str]) -> Input:
    """Describe a file: by the sha256 of its content, or on an object store as the store does.

    Args:
        file: the file.
        hash_content: returns the sha256 of a file of this machine.

    Raises:
        OSError: it cannot be read.
        SourceChangedError: it is no longer the file that was identified.
    """
    if file.format == "csv":
        content = f"sha256:{file.digest}"  # its identity is that of the whole file already
    elif is_url(file.path):
        content = f"store:{file.stamp}"
    else:
        content = f"sha256:{hash_content(file)}"
    return Input(file.path, file.size, file.stamp, file.digest, content)


@contextmanager
def hash_inputs(files: Sequence[SourceFile]) -> Iterator[Callable[[], tuple[Input, ...]]]:
    """Hash the content of each file on a thread of its own while the body works.

    Yields:
        a function that waits for the descriptions of the files, in their order.
    """
    hasher = InputHasher()
    try:
        yield hasher.begin(files).result
    finally:
        hasher.close()
