"""Sources: which files a source is, and what identifies them."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.storage.digests import digest_of
from tasks.core.storage.location import check_absolute, open_filesystem, without_secrets

Format = Literal["parquet", "csv"]
FORMATS: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
}
CHUNK = 1 << 22


@dataclass(frozen=True)
class SourceFile:
    """One input file and its identity: cheap to take before and after a run.

    `stamp` is the ETag, else the time of the last change in ns; `digest` the sha256 of the Parquet
    footer, or of a whole CSV file.
    """

    path: str
    format: Format
    size: int
    stamp: str
    digest: str


def list_source(source: str) -> tuple[SourceFile, ...]:
    """List the files of a source, sorted by path, with their identities.

    Raises:
        RequestError: there are none, or they are not all Parquet or all CSV.
    """
    check_absolute(source)
    filesystem, path = open_filesystem(source)
    filesystem.invalidate_cache()  # stores remember what they listed
    paths = source_paths(filesystem, path)
    if not paths:
        raise RequestError(f"There is nothing to read at {without_secrets(source)}.")
    formats = {format_of(path) for path in paths}
    if len(formats) > 1:
        raise RequestError(
            f"{without_secrets(source)} holds both Parquet and CSV files: name one kind, as in `folder/*.csv`."
        )
    return tuple(identify(filesystem, path) for path in paths)


def exists(source: str) -> bool:
    """Tell whether a source has any file."""
    return bool(source_paths(*open_filesystem(source)))


def source_paths(filesystem: Any, path: str) -> list[str]:
    """List the files that a path within a file system means, sorted; nothing where it means none.

    Raises:
        RequestError: they cannot be listed, or the path is that of a folder with folders in it.
    """
    try:
        if filesystem.isdir(path):
            found = filesystem.ls(path, detail=True)
            _check_flat(path, [str(item["name"]) for item in found if item["type"] == "directory"])
            return sorted(str(item["name"]) for item in found if _is_table(str(item["name"])))
        if any(mark in path for mark in "*?[") and not filesystem.exists(path):
            return sorted(str(name) for name in filesystem.glob(path) if filesystem.isfile(name))
        return [path] if filesystem.exists(path) else []
    except RequestError:
        raise
    except Exception as error:  # stores raise what their own libraries raise
        raise RequestError(
            f"{without_secrets(path)} cannot be listed: {' '.join(str(error).split())}"
        ) from error


def _check_flat(path: str, folders: Sequence[str]) -> None:
    """Refuse a folder with folders in it: their rows would be left out, and nobody would notice."""
    names = sorted(PurePosixPath(folder).name for folder in folders if not _is_hidden(folder))
    if names:
        raise RequestError(
            f"{path} holds folders ({names[0]}): name the files, as in {path}/*.parquet, or {path}/**/*.parquet for "
            "those inside of them too."
        )


def _is_table(path: str) -> bool:
    return not _is_hidden(path) and any(path.lower().endswith(ending) for ending in FORMATS)


def _is_hidden(path: str) -> bool:
    return PurePosixPath(path).name.startswith(("_", "."))


def format_of(path: str) -> Format:
    """Tell the format by the ending of the name.

    >>> format_of("in/hours.csv.gz")
    'csv'
    """
    for ending, format_ in FORMATS.items():
        if path.lower().endswith(ending):
            return format_
    raise RequestError(
        f"{path} is neither Parquet nor CSV: its name must end in {', '.join(FORMATS)}."
    )


def identify(filesystem: Any, path: str) -> SourceFile:
    """Take the identity of one file.

    Raises:
        RequestError: it cannot be read, or is no Parquet file though it is named like one.
    """
    format_ = format_of(path)
    try:
        about = filesystem.info(path)
        digest = _DIGESTS[format_](filesystem, path, int(about["size"]))
        remote = "file" not in filesystem.protocol
        stamp = (
            (about.get("ETag") or filesystem.modified(path))
            if remote
            else Path(path).stat().st_mtime_ns
        )
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror or error}.") from error
    name = str(filesystem.unstrip_protocol(path)) if remote else path
    return SourceFile(name, format_, int(about["size"]), str(stamp), digest)


def _footer_digest(filesystem: Any, path: str, size: int) -> str:
    tail = filesystem.cat_file(path, start=max(0, size - 8), end=size)
    if size < 12 or tail[4:] != b"PAR1":  # noqa: PLR2004 - the smallest Parquet file: magic, footer length, magic
        raise RequestError(f"{path} is not a whole Parquet file: its last four bytes are not PAR1.")
    footer = int.from_bytes(tail[:4], "little")
    return hashlib.sha256(
        filesystem.cat_file(path, start=max(0, size - 8 - footer), end=size)
    ).hexdigest()


def _content_digest(filesystem: Any, path: str, size: int) -> str:  # noqa: ARG001 - one signature for both formats
    content = hashlib.sha256()
    with filesystem.open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            content.update(chunk)
    return content.hexdigest()


_DIGESTS = {"parquet": _footer_digest, "csv": _content_digest}


def content_digest(file: SourceFile) -> str:
    """Give the sha256 of everything in a file."""
    filesystem, path = open_filesystem(file.path)
    return _content_digest(filesystem, path, file.size)


def source_identity(files: Sequence[SourceFile]) -> str:
    """Give one digest for the files of a source."""
    return digest_of([asdict(file) for file in files])


def check_unchanged(files: Sequence[SourceFile]) -> None:
    """Refuse to go on when a file is no longer what it was.

    Raises:
        AfterfitError: with the name of the first file that changed.
    """
    for filesystem in {id(found): found for found, _ in map(_open, files)}.values():
        filesystem.invalidate_cache()
    for file in files:
        if not _is_same(file):
            raise AfterfitError(
                f"{file.path} changed while it was being read: run the command again."
            )


def _is_same(file: SourceFile) -> bool:
    try:
        return identify(*_open(file)) == file
    except RequestError:
        return False


def _open(file: SourceFile) -> tuple[Any, str]:
    return open_filesystem(file.path)


@dataclass(frozen=True)
class Source:
    """The files of a source, and one digest of their identities."""

    files: tuple[SourceFile, ...]
    identity: str
