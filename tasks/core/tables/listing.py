"""List a source: its files, their identities and their footers, once for a run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from tasks.core.errors import RequestError
from tasks.core.storage.location import open_filesystem
from tasks.core.tables.carried import carried_type
from tasks.core.tables.csv_files import header
from tasks.core.tables.key_columns import KeyTypes, extend_schema
from tasks.core.tables.parquet import Footer, parse_footer
from tasks.core.tables.partitions import key_types
from tasks.core.tables.repeated_keys import without_repeated
from tasks.core.tables.source_paths import list_paths
from tasks.core.tables.sources import SourceFile, identify, source_identity


@dataclass(frozen=True)
class SourceListing:
    """The files of a source, the footer of each, and one digest of their identities.

    `keys` are the columns that only the paths of the files hold, with their types. They are part of
    the schema of each footer.
    """

    files: tuple[SourceFile, ...]
    footers: tuple[Footer, ...]
    identity: str
    keys: KeyTypes

    @property
    def schemas(self) -> list[pa.Schema]:
        """The schema of each file."""
        return [footer.schema for footer in self.footers]


def list_source(location: str) -> SourceListing:
    """List the files of a source, with their identities and footers.

    Each Parquet footer is read once. A CSV file is read whole for its identity, and once more up to
    the end of its header.

    Raises:
        RequestError: there are none, they are not all Parquet or all CSV, one is damaged, or the
            keys of their folders do not fit together.
    """
    filesystem, _ = open_filesystem(location)
    found = [_look_at_file(filesystem, path) for path in list_paths(location)]

    files = tuple(file for file, _ in found)
    types = key_types([file.path for file in files])
    keys = without_repeated(types, files, [footer.schema for _, footer in found])
    footers = tuple(
        replace(footer, schema=extend_schema(footer.schema, keys)) for _, footer in found
    )
    return SourceListing(files, footers, source_identity(files), keys)


def _look_at_file(filesystem: Any, path: str) -> tuple[SourceFile, Footer]:
    file, tail = identify(filesystem, path)
    if file.format == "csv":
        return file, Footer(pa.schema([(name, pa.null()) for name in header(file)]), ())
    return file, parse_footer(tail, file.path)


def check_same_types(source: SourceListing, names: Sequence[str]) -> None:
    """Refuse files in which a column is of different kinds: their parts would not be one table.

    Several physical types of one kind, such as the two of strings, are one to scores.

    Raises:
        RequestError: with the column, both types and both files.
    """
    first_file = source.files[0]
    first_schema = source.footers[0].schema

    for name in names:
        expected = first_schema.field(name).type
        for file, schema in zip(source.files, source.schemas, strict=True):
            found = schema.field(name).type
            if carried_type(found) != carried_type(expected):
                raise RequestError(
                    f"{file.path}: column {name!r} is {found}, in {first_file.path} it is "
                    f"{expected}."
                )
