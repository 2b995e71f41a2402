"""Checks: what is refused before the first row is scored."""

from collections.abc import Sequence

import pyarrow as pa

from tasks.core.errors import RequestError
from tasks.core.model.metadata import ModelMetadata
from tasks.core.output.open import open_output
from tasks.core.spec.spec import Spec
from tasks.core.storage.location import is_url
from tasks.core.tables.columns import kind_of
from tasks.core.tables.schemas import check_schema, read_schema
from tasks.core.tables.sources import SourceFile, list_source


def check_copies(files: Sequence[SourceFile], output: str, cluster: str | None) -> None:
    """Refuse CSV files whose Parquet copies the workers of a cluster could not read: they lie
    beside the output.

    Raises:
        RequestError: the output is on an object store.
    """
    if cluster and is_url(output) and any(file.format == "csv" for file in files):
        raise RequestError(
            "With --cluster, CSV files are scored into a folder that the workers share, not to a URL: make them "
            "Parquet first, or leave --cluster out."
        )


def check_scoring(spec: Spec) -> None:
    """Refuse a spec whose scoring part is wrong, before anything is trained for it.

    Raises:
        RequestError: there is no source, it lacks a carried column, or the output is no place for
            scores.
    """
    if spec.scoring.window is not None:
        raise RequestError(
            f"The scores of {spec.name} have windows: use `afterfit train SPEC`, and then "
            "`afterfit backfill SPEC --from DATE --to DATE`."
        )
    open_output(spec.scoring.output)
    for file in list_source(spec.scoring.source):
        check_schema(
            read_schema(file)[0], (), [*filter(None, [spec.data.id]), *spec.scoring.keep], file.path
        )


def check_file(
    file: SourceFile, card: ModelMetadata, carried: Sequence[str]
) -> tuple[pa.Schema, tuple[int, ...]]:
    """Refuse a file that the model cannot score, before anything is scored; give its schema and row
    groups.
    """
    schema, group_rows = read_schema(file)
    check_schema(schema, card.features, carried, file.path)
    return schema, group_rows


def check_carried_types(
    files: Sequence[SourceFile],
    schemas: Sequence[pa.Schema],
    carried: Sequence[str],
    id_column: str | None,
) -> None:
    """Refuse files in which a carried column has different types: their parts would not be one
    table.

    An id must be a number, a text or a date, so that it can be told whether it occurs twice.
    """
    for name in carried:
        if (
            name == id_column
            and kind_of(schemas[0].field(name).type) is None
            and files[0].format == "parquet"
        ):
            found = schemas[0].field(name).type
            raise RequestError(
                f"{files[0].path}: the id {name!r} is {found}: an id is a number, a text or a date."
            )
        for file, schema in zip(files, schemas, strict=True):
            first, found = schemas[0].field(name).type, schema.field(name).type
            if found != first:
                raise RequestError(
                    f"{file.path}: column {name!r} is {found}, in {files[0].path} it is {first}."
                )


def describe_columns(
    files: Sequence[SourceFile],
    schemas: Sequence[pa.Schema],
    card: ModelMetadata,
    carried: Sequence[str],
) -> tuple[str, ...]:
    """Note the columns that no one asked for, which are not read, and another order of the features
    than the model's.

    The target is expected among the former.
    """
    known = {
        *carried,
        *(column.name for column in card.features),
        card.spec.data.target,
        *card.spec.data.drop,
    }
    extra = {
        name: file.path
        for file, schema in zip(files, schemas, strict=True)
        for name in schema.names
    }
    notes = [
        f"column {name!r} of {path} is not read"
        for name, path in extra.items()
        if name not in known
    ]
    order = [column.name for column in card.features]
    for file, schema in zip(files, schemas, strict=True):
        if [name for name in schema.names if name in set(order)] != order:
            return (*notes, f"the features of {file.path} stand in another order than the model's")
    return tuple(notes)
