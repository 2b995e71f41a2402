"""Table formats: folders of which only a log or metadata say which files and rows count.

Read as plain files, they give rows back that were deleted or replaced.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import filter as matching
from pathlib import Path
from typing import Any

from tasks.core.errors import RequestError
from tasks.core.storage.location import join, last_name
from tasks.core.tables.partitions import is_partition


@dataclass(frozen=True)
class TableFormat:
    """A table format: what one such folder is called, and by which names in it it is known.

    `way_out` says how to get a plain copy; it names the `folder`.
    """

    name: str
    marks: tuple[str, ...]
    way_out: str


TABLE_FORMATS = (
    TableFormat(
        "a Delta Lake table",
        ("_delta_log",),
        "pyarrow.parquet.write_table("
        "deltalake.DeltaTable({folder!r}).to_pyarrow_table(), 'snapshot.parquet')",
    ),
    TableFormat(
        "an Iceberg table",
        ("metadata/*.metadata.json", "metadata/*.metadata.json.gz", "metadata/version-hint.text"),
        "pyarrow.parquet.write_table(pyiceberg.table.StaticTable.from_metadata("
        "METADATA_JSON).scan().to_arrow(), 'snapshot.parquet')",
    ),
    TableFormat(
        "a Hudi table",
        (".hoodie", ".hoodie_partition_metadata"),
        "spark.read.format('hudi').load({folder!r}).write.parquet('snapshot')",
    ),
    TableFormat(
        "a Paimon table",
        ("snapshot/LATEST", "snapshot/EARLIEST", "manifest/manifest-list-*"),
        "spark.read.format('paimon').load({folder!r}).write.parquet('snapshot')",
    ),
    TableFormat(
        "the output of a Spark stream",
        ("_spark_metadata",),
        "spark.read.parquet({folder!r}).write.parquet('snapshot')",
    ),
)
UNFINISHED = "_temporary"  # where Spark and Hadoop keep what a job has not committed
DUCKLAKE = "*/ducklake-*.parquet"  # its catalog is a database somewhere else


def check_names(paths: Sequence[str]) -> None:
    """Refuse files whose names say that they belong to a table format.

    Raises:
        RequestError: with the file, and how to get a plain copy.
    """
    for path in matching(paths, DUCKLAKE):
        raise RequestError(
            f"{path!r} is a data file of a DuckLake table, and only its catalog says which rows "
            "count: write them to plain Parquet first, with `COPY (FROM TABLE) TO "
            "'snapshot.parquet'` in DuckDB."
        )


def folders_of(filesystem: Any, paths: Sequence[str]) -> set[str]:
    """Return every folder above some files, also above those that links lead to."""
    nearest = {path.rpartition("/")[0] for path in paths}
    if is_local(filesystem):
        # A Path for each of very many files would cost ten times as much.
        links = [path for path in paths if os.path.islink(path)]  # noqa: PTH114
        real = {str(Path(folder).resolve()) for folder in nearest}
        nearest |= real | {str(Path(link).resolve().parent) for link in links}
    return set(_with_parents(nearest))


def check_folders(filesystem: Any, folders: Iterable[str], root: str) -> None:
    """Refuse folders that are a table format.

    Args:
        filesystem: an fsspec file system.
        folders: folders in it.
        root: the source in it, up to its first wildcard.

    Raises:
        RequestError: with the folder, its format, and how to get a plain copy.
    """
    for folder in sorted(folders):
        _check_folder(folder, filesystem, _lookup(filesystem, folder, root))


def check_finished(filesystem: Any, paths: Iterable[str], root: str) -> None:
    """Refuse files of a job of Spark or Hadoop that has not committed them.

    Its folder is that of the files, or the one that their partitions are in.

    Raises:
        RequestError: with the folder, and what to do.
    """
    for folder in sorted(set(_job_folders(paths))):
        if _lookup(filesystem, folder, root)(UNFINISHED):
            raise RequestError(
                f"{folder!r} holds a folder {UNFINISHED!r}: a Spark or Hadoop job is writing "
                "there, or was stopped before its end. Wait for it or run it again; if its files "
                "are whole, delete that folder."
            )


def _job_folders(paths: Iterable[str]) -> Iterator[str]:
    for folder in {path.rpartition("/")[0] for path in paths}:
        yield folder
        while is_partition(last_name(folder)):
            folder = folder.rpartition("/")[0]  # noqa: PLW2901 - one step up
            yield folder


def _with_parents(folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        while folder:
            yield folder
            folder = folder.rpartition("/")[0]  # noqa: PLW2901 - one step up


def _check_folder(folder: str, filesystem: Any, holds: Callable[[str], bool]) -> None:
    for table_format in TABLE_FORMATS:
        if any(_has_mark(filesystem, folder, mark, holds) for mark in table_format.marks):
            way_out = table_format.way_out.format(folder=folder)
            raise RequestError(
                f"{folder!r} is {table_format.name}: its files also hold rows that were deleted or "
                f"replaced. Write a snapshot to plain Parquet and name that, for example by "
                f"{way_out}."
            )


def _has_mark(filesystem: Any, folder: str, mark: str, holds: Callable[[str], bool]) -> bool:
    first, _, pattern = mark.partition("/")
    if not holds(first):
        return False
    return not pattern or bool(matching(names_in(filesystem, join(folder, first)), pattern))


def _lookup(filesystem: Any, folder: str, root: str) -> Callable[[str], bool]:
    """Return a function that says whether a folder holds something of a name.

    A store lists a folder of the source at once. Above the source very much else may lie, so there
    it is asked for each name.
    """
    if is_local(filesystem):
        return lambda name: Path(folder, name).exists()
    if "http" in filesystem.protocol:  # a web server may answer anything to any name
        return lambda _name: False

    if f"{folder}/".startswith(f"{root.rstrip('/')}/"):
        return set(names_in(filesystem, folder)).__contains__
    return lambda name: _is_folder(filesystem, join(folder, name))


def _is_folder(filesystem: Any, path: str) -> bool:
    try:
        return bool(filesystem.isdir(path))
    except OSError:  # a store need not let us look above the source
        return False


def names_in(filesystem: Any, folder: str) -> list[str]:
    """List the names in a folder; none where there is no folder."""
    try:
        return [last_name(str(path)) for path in filesystem.ls(folder, detail=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_local(filesystem: Any) -> bool:
    """Return whether the files are those of this machine."""
    return "file" in filesystem.protocol
