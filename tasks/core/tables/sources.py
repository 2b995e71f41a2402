"""Sources: what identifies the files of a source."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from tasks.core.errors import RequestError
from tasks.core.storage.digests import digest_of
from tasks.core.storage.location import open_filesystem
from tasks.core.tables.file_names import Format, format_of
from tasks.core.tables.open_files import OpenFile, changed, open_file, reading
from tasks.core.tables.parquet import read_tail

CHUNK = 1 << 22  # bytes
NO_TAIL = b""  # of a CSV file


@dataclass(frozen=True)
class SourceFile:
    """One input file and its identity: cheap to take before and after a run.

    `size` is in bytes. `stamp` is the ETag, else the time of the last change in ns. `digest` is the
    sha256 of the Parquet footer, or of a whole CSV file. `revision` tells whether it was touched
    since: it is a matter of one run, and no part of the identity that lasts.
    """

    path: str
    format: Format
    size: int
    stamp: str
    digest: str
    revision: str


def identify(filesystem: Any, path: str) -> tuple[SourceFile, bytes]:
    """Take the identity of one file; return the footer that was read for it, too.

    Raises:
        RequestError: it cannot be read, or is no Parquet file though it is named like one.
    """
    format_ = format_of(path)
    try:
        with closing(open_file(_name_of(filesystem, path))) as opened:
            state = opened.state()  # before it is read: every later check sees a change since
            digest, tail = DIGESTS[format_](opened, state.size)
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror or error}.") from error

    file = SourceFile(opened.path, format_, state.size, state.stamp, digest, state.revision)
    return file, tail


def _name_of(filesystem: Any, path: str) -> str:
    """Return the path or URL by which a file is opened again."""
    return path if "file" in filesystem.protocol else str(filesystem.unstrip_protocol(path))


def _digest_footer(opened: OpenFile, size: int) -> tuple[str, bytes]:
    tail = read_tail(opened, size)
    return hashlib.sha256(tail).hexdigest(), tail


def _digest_content(opened: OpenFile, _size: int) -> tuple[str, bytes]:
    content = hashlib.sha256()
    while chunk := opened.stream.read(CHUNK):
        content.update(chunk)
    return content.hexdigest(), NO_TAIL


DIGESTS: dict[Format, Callable[[OpenFile, int], tuple[str, bytes]]] = {
    "parquet": _digest_footer,
    "csv": _digest_content,
}


def content_digest(file: SourceFile) -> str:
    """Return the sha256 of everything in a file.

    Raises:
        SourceChangedError: it is no longer the file that was identified.
    """
    with reading(file.path, file.revision) as opened:
        return _digest_content(opened, file.size)[0]


def source_identity(files: Sequence[SourceFile]) -> str:
    """Return one digest of the identities of the files of a source, whatever their revisions."""
    documents = [asdict(file) for file in files]
    for document in documents:
        del document["revision"]
    return digest_of(documents)


def check_unchanged(files: Sequence[SourceFile]) -> None:
    """Refuse to go on when a file is no longer what it was.

    Raises:
        SourceChangedError: with the name of the first file that changed.
    """
    opened = [open_filesystem(file.path) for file in files]
    for filesystem in {id(filesystem): filesystem for filesystem, _ in opened}.values():
        filesystem.invalidate_cache()

    for file, (filesystem, path) in zip(files, opened, strict=True):
        if not _is_same(file, filesystem, path):
            raise changed(file.path)


def _is_same(file: SourceFile, filesystem: Any, path: str) -> bool:
    try:
        now, _ = identify(filesystem, path)
    except RequestError:
        return False
    return now == file
