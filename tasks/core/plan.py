"""The plan of a scoring run: its identity, and its pieces after every file was checked."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.card import Card, ModelVersion
from tasks.core.columns import STORED_AS, check_schema, parse_dates
from tasks.core.commit import real_output
from tasks.core.csv_files import header, iterate_csv
from tasks.core.errors import RequestError
from tasks.core.manifest import make_run_key
from tasks.core.pieces import PIECE_ROWS, Bundle, Piece, bundle_pieces, plan_pieces
from tasks.core.scorer import check_carried
from tasks.core.sources import SourceFile, identify, list_source, open_filesystem, open_parquet, source_identity
from tasks.core.spec import Scoring, Spec


@dataclass(frozen=True)
class Run:
    """One scoring run: the model, the source, the output, and the key that names the three's content."""

    model: ModelVersion
    files: tuple[SourceFile, ...]
    identity: str
    output: str
    key: str
    id: str | None
    keep: tuple[str, ...]
    proba: bool


def name_run(
    model: ModelVersion, card: Card, files: tuple[SourceFile, ...], output: Path, options: Scoring | None = None
) -> Run:
    """Give a run its key: a digest of the model, the source, and the options that change the content.

    The options are by default those of the spec that is stored with the model.

    Raises:
        RequestError: the output would lie where the source is, or carried columns clash with the scores' own.
    """
    data, scoring = card.spec.data, options or card.spec.scoring
    check_carried(data.id, scoring.keep)
    for file in files:
        if "://" not in file.path and output in Path(os.path.realpath(file.path)).parents:
            raise RequestError(f"{output} holds the source itself: write the scores to another folder.")
    identity = source_identity(files)
    content = {"id": data.id, "keep": scoring.keep, "proba": scoring.proba}
    key = make_run_key(model.digest, identity, content)
    return Run(model, files, identity, str(output), key, data.id, scoring.keep, scoring.proba)


def plan_bundles(run: Run, card: Card, folder: Path) -> tuple[Bundle, ...]:
    """Check every file against the model's features, then cut the source into bundles of pieces.

    A CSV file is copied once into a Parquet file in `folder`, typed by the model, and read from there.

    Raises:
        RequestError: a file lacks a column, has one of another kind, or is damaged; or there is no row at all.
    """
    carried = list(dict.fromkeys([*filter(None, [run.id]), *run.keep]))
    schemas = [check_file(file, card, carried) for file in run.files]
    check_carried_types(run.files, schemas, carried)
    readable = [copy_csv(file, card, folder / f"{number}.parquet") for number, file in enumerate(run.files)]
    bundles = bundle_pieces(plan_pieces(readable, [file.path for file in run.files]))
    if not bundles:
        raise RequestError(f"{run.files[0].path}: there are no rows to score.")
    return bundles


def check_scoring(spec: Spec) -> None:
    """Refuse a spec whose scoring part is wrong, before anything is trained for it.

    Raises:
        RequestError: there is no source, it lacks a carried column, or the output is no place for scores.
    """
    real_output(spec.scoring.output)
    for file in list_source(spec.scoring.source):
        check_schema(read_schema(file), (), [*filter(None, [spec.data.id]), *spec.scoring.keep], file.path)


def check_file(file: SourceFile, card: Card, carried: Sequence[str]) -> pa.Schema:
    """Refuse a file that the model cannot score, before anything is scored; give its schema."""
    schema = read_schema(file)
    check_schema(schema, card.features, carried, file.path)
    return schema


def read_schema(file: SourceFile) -> pa.Schema:
    """Read the names and types of a file's columns; a CSV file has no types.

    Raises:
        RequestError: the file is damaged.
    """
    if file.format == "csv":
        return pa.schema([(name, pa.null()) for name in header(file)])
    try:
        with open_parquet(file) as parquet:
            return parquet.schema_arrow
    except (OSError, pa.ArrowInvalid) as error:
        raise RequestError(f"{file.path} cannot be read as Parquet: {error}") from error


def check_carried_types(files: Sequence[SourceFile], schemas: Sequence[pa.Schema], carried: Sequence[str]) -> None:
    """Refuse files in which a carried column has different types: their parts would not be one table."""
    for name in carried:
        for file, schema in zip(files, schemas, strict=True):
            first, found = schemas[0].field(name).type, schema.field(name).type
            if found != first:
                raise RequestError(f"{file.path}: column {name!r} is {found}, in {files[0].path} it is {first}.")


def copy_csv(file: SourceFile, card: Card, path: Path) -> SourceFile:
    """Copy a CSV file to Parquet with the types of the model's features; ids and kept columns stay as written."""
    if file.format == "parquet":
        return file
    types = {column.name: STORED_AS[column.kind] for column in card.features if column.kind != "date"}
    dates = [column.name for column in card.features if column.kind == "date"]
    batches = (with_dates(batch, dates, file.path) for batch in iterate_csv(file, types))
    with pq.ParquetWriter(path, next(batches).schema, compression="lz4") as writer:
        for batch in batches:
            writer.write_batch(batch, row_group_size=PIECE_ROWS)
    filesystem, local = open_filesystem(str(path))
    return identify(filesystem, local)


def with_dates(batch: pa.RecordBatch, names: Sequence[str], origin: str) -> pa.RecordBatch:
    """Parse the named columns of texts as dates."""
    for name in names:
        try:
            parsed = parse_dates(batch[name])
        except ValueError as error:
            raise RequestError(f"{origin}: column {name!r} holds something that is no date: {error}.") from error
        position = batch.schema.get_field_index(name)
        batch = batch.set_column(position, pa.field(name, parsed.type), parsed)
    return batch


def rows_of(pieces: Sequence[Piece]) -> int:
    """Count the rows of pieces."""
    return sum(piece.rows for piece in pieces)
