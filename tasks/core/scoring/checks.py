"""Checks: what is refused before the first row is scored."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from tasks.core.errors import RequestError
from tasks.core.model.metadata import ModelMetadata
from tasks.core.output.open import open_output
from tasks.core.score_columns import ScoreColumns, check_carried
from tasks.core.scoring.run import check_apart
from tasks.core.spec.spec import Spec
from tasks.core.storage.location import is_url
from tasks.core.tables.columns import Column, kind_of
from tasks.core.tables.listing import SourceListing, check_same_types, list_source
from tasks.core.tables.schemas import check_schema, check_zones


def check_scoring(spec: Spec, cluster: str | None = None) -> SourceListing:
    """Refuse a spec whose scoring part is wrong, before anything is trained for it.

    Return the files that are to be scored.

    Args:
        spec: the model under management.
        cluster: the address of the Dask scheduler that scores, if there is one.

    Raises:
        RequestError: there is no source, its files lack a carried column or hold it in two kinds,
            or the output is no place for scores.
    """
    if spec.scoring.window is not None:
        raise RequestError(
            f"The scores of {spec.name} have windows: use `afterfit train SPEC`, and then "
            "`afterfit backfill SPEC --from DATE --to DATE`."
        )
    check_carried(spec.data.id, spec.scoring.keep)
    location = open_output(spec.scoring.output).location
    _check_writable(location)

    source = list_source(spec.scoring.source)
    check_copies(source, location, cluster)
    check_apart(location, source.files)
    check_columns(source, (), ScoreColumns(spec.data.id, spec.scoring.keep))
    return source


def _check_writable(output: str) -> None:
    """Refuse an output in a folder that cannot be written to."""
    if is_url(output):
        return

    folder = next(path for path in Path(output).parents if path.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):  # which has no name, or loses it at once
            pass
    except OSError as error:
        raise RequestError(f"{folder} cannot be written to: {error.strerror}.") from error


def check_copies(source: SourceListing, output: str, cluster: str | None) -> None:
    """Refuse CSV files whose Parquet copies the workers of a cluster could not read.

    The copies lie beside the output, or on this machine.

    Raises:
        RequestError: the output is on an object store.
    """
    is_csv = any(file.format == "csv" for file in source.files)
    if cluster and is_csv and is_url(output):
        raise RequestError(
            "With --cluster, CSV files are scored into a folder that the workers share, not to a "
            "URL: make them Parquet first, or leave --cluster out."
        )


def check_columns(source: SourceListing, features: Sequence[Column], columns: ScoreColumns) -> None:
    """Refuse a source that no model of these features can score, or not into one table.

    Raises:
        RequestError: a file lacks a column, or has one of another kind or type; or the id is of a
            type by which rows cannot be told apart.
    """
    # The keys of folders are read as whatever the model knows them to be.
    features = [column for column in features if column.name not in source.keys]
    for file, schema in zip(source.files, source.schemas, strict=True):
        check_schema(schema, features, columns.carried, file.path)
        check_zones(schema, features, file.path)

    first = source.files[0]
    if columns.id is not None and first.format == "parquet":
        found = source.footers[0].schema.field(columns.id).type
        if kind_of(found) is None or pa.types.is_float16(found):  # Arrow compares no such ids
            raise RequestError(
                f"{first.path}: the id {columns.id!r} is {found}: an id is a number, a text or a "
                "date."
            )
    check_same_types(source, columns.carried)


def describe_columns(
    source: SourceListing, metadata: ModelMetadata, columns: ScoreColumns
) -> tuple[str, ...]:
    """Note the columns that are not read, and another order of the features than the model's.

    That the target is among the columns is no news.
    """
    order = [column.name for column in metadata.features]
    expected = {*columns.carried, *order, metadata.target, *metadata.dropped}
    last_file: dict[str, str] = {}
    for file, schema in zip(source.files, source.schemas, strict=True):
        last_file |= dict.fromkeys(schema.names, file.path)

    notes = [
        f"column {name!r} of {path} is not read"
        for name, path in last_file.items()
        if name not in expected
    ]
    for file, schema in zip(source.files, source.schemas, strict=True):
        found = [name for name in schema.names if name in set(order)]
        if found != order:
            notes.append(f"the features of {file.path} stand in another order than the model's")
            break
    return tuple(notes)
