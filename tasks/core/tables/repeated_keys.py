"""Repeated keys: columns of files that the folders of their path name, too."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from tasks.core.errors import RequestError
from tasks.core.tables.csv_files import iterate_csv
from tasks.core.tables.parquet import iterate_parquet
from tasks.core.tables.partitions import keys_of
from tasks.core.tables.sources import SourceFile


def without_repeated(
    keys: Mapping[str, pa.DataType], files: Sequence[SourceFile], schemas: Sequence[pa.Schema]
) -> dict[str, pa.DataType]:
    """Return the keys that no file holds as a column.

    Such a column is read as it stands in the file, where its folder says the same of every row.

    Raises:
        RequestError: a file and its folder say something else of a row.
    """
    own_columns: set[str] = set()
    for file, schema in zip(files, schemas, strict=True):
        repeated = [name for name in keys if name in schema.names]
        own_columns.update(repeated)
        if repeated:
            _check_values(file, repeated)

    return {name: type_ for name, type_ in keys.items() if name not in own_columns}


def _check_values(file: SourceFile, names: Sequence[str]) -> None:
    said = keys_of(file.path)
    for batch in _batches(file, names):
        for name in names:
            for value in pc.unique(batch[name]).to_pylist():
                if not is_same(value, said[name]):
                    raise RequestError(
                        f"{file.path}: column {name!r} holds {value!r}, where the folder says "
                        f"{said[name]!r}: rename the folder, or leave the column out of the file."
                    )


def _batches(file: SourceFile, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    if file.format == "parquet":
        yield from iterate_parquet(file.path, file.revision, names)
        return

    for batch in iterate_csv(file, {}):
        yield batch.select(names)


def is_same(value: object, text: str | None) -> bool:
    """Return whether a value of a column is what the name of a folder says.

    >>> is_same(1, "01"), is_same("1", "01"), is_same(date(2026, 1, 31), "2026-01-31")
    (True, True, True)
    >>> is_same("EU", "US"), is_same(None, "US")
    (False, False)
    """
    if value is None or text is None:
        return value is text
    if isinstance(value, bool):
        return str(value).lower() == text.lower()

    try:
        if isinstance(value, int | float | Decimal):
            return type(value)(text) == value
        if isinstance(value, date):
            return type(value).fromisoformat(text) == value
        return value == text or int(str(value)) == int(text)
    except (ValueError, ArithmeticError):  # the text is no such value
        return False
