"""Sources: which files a source is, and what identifies them."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from tasks.core.errors import RequestError
from tasks.core.storage.digests import digest_of
from tasks.core.storage.location import check_absolute, open_filesystem, without_secrets
from tasks.core.tables.open_files import OpenFile, changed, open_file, reading
from tasks.core.tables.parquet import read_tail

Format = Literal["parquet", "csv"]
FORMATS: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
}
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


def list_paths(source: str) -> list[str]:
    """List the files of a source within its file system, sorted.

    Raises:
        RequestError: there are none, or they are not all Parquet or all CSV.
    """
    check_absolute(source)
    filesystem, path = open_filesystem(source)
    filesystem.invalidate_cache()  # stores remember what they listed
    paths = source_paths(filesystem, path)

    if not paths:
        raise RequestError(f"There is nothing to read at {without_secrets(source)}.")
    if len({format_of(path) for path in paths}) > 1:
        raise RequestError(
            f"{without_secrets(source)} holds both Parquet and CSV files: name one kind, as in "
            "`folder/*.csv`."
        )
    return paths


def exists(source: str) -> bool:
    """Return whether a source has any file."""
    return bool(source_paths(*open_filesystem(source)))


def source_paths(filesystem: Any, path: str) -> list[str]:
    """List the files that a path within a file system means, sorted; there may be none.

    Raises:
        RequestError: they cannot be listed, or the path is that of a folder with folders in it.
    """
    try:
        return _matching_paths(filesystem, path)
    except RequestError:
        raise
    except Exception as error:  # stores raise what their own libraries raise
        reason = " ".join(str(error).split())
        raise RequestError(without_secrets(f"{path} cannot be listed: {reason}")) from error


def _matching_paths(filesystem: Any, path: str) -> list[str]:
    if filesystem.isdir(path):
        found = filesystem.ls(path, detail=True)
        _check_flat(path, [str(item["name"]) for item in found if item["type"] == "directory"])
        names = [str(item["name"]) for item in found]
        return sorted(name for name in names if _is_table(name))

    if filesystem.exists(path):
        return [path]
    if any(mark in path for mark in "*?["):
        return sorted(str(name) for name in filesystem.glob(path) if filesystem.isfile(name))
    return []


def _check_flat(path: str, folders: Sequence[str]) -> None:
    """Refuse a folder with folders in it: their rows would be left out, and nobody would notice."""
    names = sorted(PurePosixPath(folder).name for folder in folders if not _is_hidden(folder))
    if names:
        raise RequestError(
            f"{path} holds folders ({names[0]}): name the files, as in {path}/*.parquet, or "
            f"{path}/**/*.parquet for those inside of them too."
        )


def _is_table(path: str) -> bool:
    return not _is_hidden(path) and any(path.lower().endswith(ending) for ending in FORMATS)


def _is_hidden(path: str) -> bool:
    return PurePosixPath(path).name.startswith(("_", "."))


def format_of(path: str) -> Format:
    """Return the format of a file, by the ending of its name.

    >>> format_of("in/hours.csv.gz")
    'csv'

    Raises:
        RequestError: it is neither Parquet nor CSV.
    """
    for ending, format_ in FORMATS.items():
        if path.lower().endswith(ending):
            return format_
    raise RequestError(
        f"{path} is neither Parquet nor CSV: its name must end in {', '.join(FORMATS)}."
    )


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
