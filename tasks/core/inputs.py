"""Inputs: what a run writes down of its source, taken while libraries are imported and the source is being scored."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

from tasks.core.errors import RequestError
from tasks.core.files import open_binary
from tasks.core.manifest import Input
from tasks.core.sources import SourceFile, identify, is_url, open_filesystem, source_paths

CHUNK = 1 << 24  # digested without the GIL, for which imports on another thread make each one wait
MOST_AHEAD = 100  # to look at very many files twice would cost more than it saves


class Digests:
    """Inputs described on a thread of its own, each file once."""

    def __init__(self) -> None:
        """Start with none."""
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="digest")
        self._inputs: dict[SourceFile, Future[Input]] = {}

    def begin(self, files: Sequence[SourceFile]) -> None:
        """Begin to describe these files, but for those begun already."""
        for file in files:
            if file not in self._inputs:
                self._inputs[file] = self._pool.submit(describe_input, file, self._stop)

    def look_ahead(self, source: str) -> None:
        """Begin to describe the Parquet files of a source, if they are here and not too many; complain of nothing."""
        self._pool.submit(lambda: self.begin(_few_files(source)))

    def wait(self, files: Sequence[SourceFile]) -> tuple[Input, ...]:
        """Wait for files that were begun."""
        return tuple(self._inputs[file].result() for file in files)

    def close(self) -> None:
        """Stop in the middle of a file, if need be."""
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)


_ahead: list[Digests] = []


@contextmanager
def digesting_ahead(source: str) -> Iterator[None]:
    """Digest a source from now on, for the `digesting` that the body comes to after seconds of imports on one core."""
    digests = Digests()
    _ahead.append(digests)
    digests.look_ahead(source)
    try:
        yield
    finally:
        _ahead.clear()
        digests.close()


@contextmanager
def digesting(files: Sequence[SourceFile]) -> Iterator[Callable[[], tuple[Input, ...]]]:
    """Digest the content of each file on a thread of its own while the body works; give what waits for it."""
    digests = _ahead.pop() if _ahead else Digests()
    digests.begin(files)
    try:
        yield lambda: digests.wait(files)
    finally:
        digests.close()


def describe_input(file: SourceFile, stop: threading.Event | None = None) -> Input:
    """Describe a file: the sha256 of its content, or for one on an object store what the store tells it by."""
    if file.format == "csv":
        content = f"sha256:{file.digest}"  # its identity is that of the whole file already
    elif is_url(file.path):
        content = f"store:{file.stamp}"
    else:
        content = f"sha256:{_sha256(file.path, stop)}"
    return Input(file.path, file.size, file.stamp, file.digest, content)


def _few_files(source: str) -> list[SourceFile]:
    with suppress(RequestError, OSError):
        if not is_url(source):
            filesystem, path = open_filesystem(source)
            paths = source_paths(filesystem, path)
            if len(paths) <= MOST_AHEAD and not any(".csv" in name.lower() for name in paths):
                return [identify(filesystem, name) for name in paths]
    return []


def _sha256(path: str, stop: threading.Event | None) -> str:
    content = hashlib.sha256()
    with open_binary(path) as file:
        while (stop is None or not stop.is_set()) and (chunk := file.read(CHUNK)):
            content.update(chunk)
    return content.hexdigest()
