"""Inputs: what a run writes down of its source, taken while the source is being scored."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tasks.core.files import open_binary
from tasks.core.manifest import Input
from tasks.core.sources import CHUNK, SourceFile, is_url


@contextmanager
def digesting(files: Sequence[SourceFile]) -> Iterator[Callable[[], tuple[Input, ...]]]:
    """Digest the content of each file on a thread of its own while the body works; give what waits for it."""
    stop = threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="digest") as pool:
        described = pool.submit(lambda: tuple(describe_input(file, stop) for file in files))
        try:
            yield described.result
        finally:
            stop.set()


def describe_input(file: SourceFile, stop: threading.Event | None = None) -> Input:
    """Describe a file: the sha256 of its content, or for one on an object store what the store tells it by."""
    if file.format == "csv":
        content = f"sha256:{file.digest}"  # its identity is that of the whole file already
    elif is_url(file.path):
        content = f"store:{file.stamp}"
    else:
        content = f"sha256:{_sha256(file.path, stop)}"
    return Input(file.path, file.size, file.stamp, file.digest, content)


def _sha256(path: str, stop: threading.Event | None) -> str:
    content = hashlib.sha256()
    with open_binary(path) as file:
        while (stop is None or not stop.is_set()) and (chunk := file.read(CHUNK)):
            content.update(chunk)
    return content.hexdigest()
