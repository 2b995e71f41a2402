"""Schemas: the names and types of the columns of a table."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.csv

from tasks.core.errors import RequestError
from tasks.core.tables.columns import Column, kind_of
from tasks.core.tables.csv_files import header
from tasks.core.tables.parquet import read_footer
from tasks.core.tables.sources import SourceFile
from tasks.core.wording import nearest_name


def check_schema(
    schema: pa.Schema, features: Sequence[Column], needed: Iterable[str], origin: str
) -> None:
    """Refuse a table that lacks a column or holds one of another kind; extra and reordered columns
    are welcome.
    """
    names = set(schema.names)
    if len(names) < len(schema.names):
        twice = next(name for name in schema.names if schema.names.count(name) > 1)
        raise RequestError(f"{origin}: column {twice!r} occurs twice.")
    for name in [*(column.name for column in features), *needed]:
        if name not in names:
            raise RequestError(
                f"{origin}: column {name!r} is missing{nearest_name(name, schema.names)}"
            )
    for column in features:
        found = schema.field(column.name).type
        if kind_of(found) != column.kind and not pa.types.is_null(found):
            raise RequestError(
                f"{origin}: column {column.name!r} is {found}, the model was trained on a {column.kind} one."
            )


def read_schema(file: SourceFile) -> tuple[pa.Schema, tuple[int, ...]]:
    """Read the names and types of a file's columns, and the rows of its row groups; a CSV file has
    names only.

    Raises:
        RequestError: the file is damaged.
    """
    if file.format == "csv":
        return pa.schema([(name, pa.null()) for name in header(file)]), ()
    return read_footer(file.path, file.path)
