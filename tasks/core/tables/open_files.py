"""Open files: what is read of a source, held against what the run was planned for."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from tasks.core.errors import SourceChangedError
from tasks.core.storage.conditional import is_conditional
from tasks.core.storage.location import is_url, open_filesystem


@dataclass(frozen=True)
class FileState:
    """What a file system says of a file that is not read for it.

    `size` is in bytes. `stamp` is the ETag, else the time of the last change in ns. `revision`
    differs as soon as the file is written to, replaced or renamed, also where its size, its time
    and its content are put back. On this machine it holds the inode and the time of the inode's
    last change, which no program can set.
    """

    size: int
    stamp: str
    revision: str


class OpenFile(Protocol):
    """A file of a source, open for reading."""

    @property
    def path(self) -> str:
        """The path or URL that was opened."""

    @property
    def stream(self) -> Any:
        """What pyarrow reads."""

    def state(self) -> FileState:
        """Return the state of what was opened."""

    def read_range(self, start: int, end: int) -> bytes:
        """Read the bytes from `start` to just before `end`."""

    def is_still(self, revision: str) -> bool:
        """Return whether all that was read so far is of this revision."""

    def close(self) -> None:
        """Close it."""


class LocalFile:
    """A file of this machine: it is read to its end, whatever takes its name meanwhile."""

    def __init__(self, path: str) -> None:
        """Open a file.

        Raises:
            OSError: it cannot be opened.
        """
        self.path = path
        try:
            self.stream = pa.OSFile(path)
        except OSError as error:
            if not error.errno:
                raise
            # Arrow says less plainly why.
            raise OSError(error.errno, os.strerror(error.errno), path) from error

    def state(self) -> FileState:
        """Return its state now."""
        return state_of(self.stream.fileno())

    def read_range(self, start: int, end: int) -> bytes:
        """Read the bytes from `start` to just before `end`."""
        content: bytes = self.stream.read_at(end - start, start)
        return content

    def is_still(self, revision: str) -> bool:
        """Return whether it was not touched since it was of this revision."""
        return self.state().revision == revision

    def close(self) -> None:
        """Close it."""
        self.stream.close()


class StoredFile:
    """A file on an object store."""

    def __init__(self, url: str) -> None:
        """Open a file.

        Raises:
            OSError: it cannot be opened.
        """
        self.path = url
        self._filesystem, self._inside = open_filesystem(url)
        self.stream = self._filesystem.open(self._inside, "rb")

    def state(self) -> FileState:
        """Return what the store said when the file was opened, where that is known, else now."""
        about = getattr(self.stream, "details", None)
        return self._state_of(about or self._filesystem.info(self._inside))

    def read_range(self, start: int, end: int) -> bytes:
        """Read the bytes from `start` to just before `end`."""
        content: bytes = self._filesystem.cat_file(self._inside, start=start, end=end)
        return content

    def is_still(self, revision: str) -> bool:
        """Return whether this revision was opened, and no other can have been read."""
        if self.state().revision != revision:
            return False
        if is_conditional(self._filesystem):
            return True  # each read names the ETag that was opened

        self._filesystem.invalidate_cache(self._inside)
        now = self._filesystem.info(self._inside)
        return self._state_of(now).revision == revision

    def close(self) -> None:
        """Close it."""
        self.stream.close()

    def _state_of(self, about: dict[str, Any]) -> FileState:
        size = int(about["size"])
        stamp = str(about.get("ETag") or self._filesystem.modified(self._inside))
        return FileState(size, stamp, revision=f"{size} {stamp}")


def open_file(path: str) -> OpenFile:
    """Open a file of this machine, or of an object store by its URL.

    Raises:
        OSError: it cannot be opened.
    """
    return StoredFile(path) if is_url(path) else LocalFile(path)


def state_of(descriptor: int) -> FileState:
    """Return the state of a file of this machine that is open."""
    about = os.fstat(descriptor)
    # Not the device: hosts that share a file system number their devices each for itself.
    parts = (about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
    revision = " ".join(str(part) for part in parts)
    return FileState(about.st_size, str(about.st_mtime_ns), revision)


@contextmanager
def reading(path: str, revision: str) -> Iterator[OpenFile]:
    """Open a file for the body, and hold what was read of it against a revision at the end.

    Raises:
        SourceChangedError: it is of another revision.
        OSError: it cannot be opened.
    """
    with closing(open_file(path)) as opened:
        yield opened
        check_still(opened, revision)


def check_still(opened: OpenFile, revision: str) -> None:
    """Refuse what was read of a file that is not, or no longer, of a revision.

    Raises:
        SourceChangedError: with the name of the file.
    """
    try:
        is_still = opened.is_still(revision)
    except FileNotFoundError:
        is_still = False
    if not is_still:
        raise changed(opened.path)


def changed(path: str) -> SourceChangedError:
    """Return the error of a file that changed."""
    return SourceChangedError(f"{path} changed while it was being read: run the command again.")
