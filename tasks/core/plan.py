"""The plan of a scoring run: its identity, and its pieces after every file was checked."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from tasks.core.card import Card, ModelVersion
from tasks.core.columns import check_schema, kind_of
from tasks.core.csv_copy import copy_csv
from tasks.core.csv_files import header
from tasks.core.digest import digest_of
from tasks.core.errors import RequestError
from tasks.core.manifest import make_run_key, part_name
from tasks.core.objects import open_output
from tasks.core.pieces import Piece, TableGroups, piece_rows, plan_pieces
from tasks.core.predictor import KERNEL_ROWS
from tasks.core.scorer import check_carried, columns_read
from tasks.core.sources import SourceFile, is_url, list_source, open_parquet, source_identity
from tasks.core.spec import Scoring, Spec


@dataclass(frozen=True)
class Run:
    """One scoring run: the model, the output, and the key that names the content. Small: it goes to every worker.

    `kernel` tells whether there are rows enough for the trees' kernel and other short cuts to pay; the content does not
    depend on it.
    """

    model: ModelVersion
    output: str
    key: str
    id: str | None
    keep: tuple[str, ...]
    proba: bool
    max_bad_rows: float = 0
    kernel: bool = False


@dataclass(frozen=True)
class Plan:
    """The pieces of a source, in order, and what was found unusual about its files, and accepted."""

    pieces: tuple[Piece, ...]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows the source has."""
        return self.pieces[-1].first_row + self.pieces[-1].rows

    def part_names(self, run: Run) -> list[str]:
        """Name the part of each piece."""
        return [part_name(run.key, piece.number) for piece in self.pieces]


def name_run(
    model: ModelVersion, card: Card, files: tuple[SourceFile, ...], output: str, options: Scoring | None = None
) -> Run:
    """Give a run its key: a digest of the model, the source, and the options that change the content.

    The options are by default those of the spec that is stored with the model.

    Raises:
        RequestError: the output would lie where the source is, or carried columns clash with the scores' own.
    """
    data, scoring = card.spec.data, options or card.spec.scoring
    check_carried(data.id, scoring.keep)
    for file in files:
        if not is_url(file.path) and Path(output) in Path(os.path.realpath(file.path)).parents:
            raise RequestError(f"{output} holds the source itself: write the scores to another folder.")
        if is_url(file.path) and file.path.startswith(output.rstrip("/") + "/"):
            raise RequestError(f"{output} holds the source itself: write the scores elsewhere.")
    content = {"id": data.id, "keep": scoring.keep, "proba": scoring.proba}
    key = make_run_key(model.digest, source_identity(files), content)
    return Run(model, output, key, data.id, scoring.keep, scoring.proba, scoring.max_bad_rows)


def plan_source(run: Run, files: Sequence[SourceFile], card: Card, tables: Path) -> tuple[Run, Plan]:
    """Check every file against the model's features, then cut the source into pieces, from metadata alone.

    A CSV file has none: it is copied once into a Parquet file in the folder `tables`, typed by the model, and read
    from there.

    Raises:
        RequestError: a file lacks a column, has one of another kind, or is damaged; or there is no row at all.
    """
    carried = columns_read((), run.id, run.keep)
    at_least = piece_rows(max(card.width, len(columns_read(card.features, run.id, run.keep))))
    found = [check_file(file, card, carried) for file in files]
    check_carried_types(files, [schema for schema, _ in found], carried, run.id)
    groups = [
        _groups(file, number, rows, card, tables, at_least)
        for number, (file, (_, rows)) in enumerate(zip(files, found, strict=True))
    ]
    pieces = plan_pieces(groups, at_least)
    if not pieces:
        raise RequestError(f"{files[0].path}: there are no rows to score.")
    plan = Plan(pieces, describe_columns(files, [schema for schema, _ in found], card, carried))
    return replace(run, kernel=plan.rows >= KERNEL_ROWS), plan


def _groups(
    file: SourceFile, number: int, group_rows: tuple[int, ...], card: Card, tables: Path, at_least: int
) -> TableGroups:
    if file.format == "parquet":
        return TableGroups(file.path, file.path, number, group_rows)
    typed_as = digest_of([file.digest, [[column.name, column.kind] for column in card.features], at_least])
    path = copy_csv(file, card.features, tables / f"{number}-{typed_as[:16]}.parquet", at_least)
    return TableGroups(str(path), file.path, number, read_footer(str(path), file.path)[1])


def check_copies(files: Sequence[SourceFile], output: str, cluster: str | None) -> None:
    """Refuse CSV files whose Parquet copies the workers of a cluster could not read: they lie beside the output.

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
        RequestError: there is no source, it lacks a carried column, or the output is no place for scores.
    """
    if spec.scoring.window is not None:
        raise RequestError(
            f"The scores of {spec.name} have windows: use `afterfit train SPEC`, and then "
            "`afterfit backfill SPEC --from DATE --to DATE`."
        )
    open_output(spec.scoring.output)
    for file in list_source(spec.scoring.source):
        check_schema(read_schema(file)[0], (), [*filter(None, [spec.data.id]), *spec.scoring.keep], file.path)


def check_file(file: SourceFile, card: Card, carried: Sequence[str]) -> tuple[pa.Schema, tuple[int, ...]]:
    """Refuse a file that the model cannot score, before anything is scored; give its schema and row groups."""
    schema, group_rows = read_schema(file)
    check_schema(schema, card.features, carried, file.path)
    return schema, group_rows


def read_schema(file: SourceFile) -> tuple[pa.Schema, tuple[int, ...]]:
    """Read the names and types of a file's columns, and the rows of its row groups; a CSV file has names only.

    Raises:
        RequestError: the file is damaged.
    """
    if file.format == "csv":
        return pa.schema([(name, pa.null()) for name in header(file)]), ()
    return read_footer(file.path, file.path)


def read_footer(path: str, origin: str) -> tuple[pa.Schema, tuple[int, ...]]:
    """Read the schema of a Parquet file, and how many rows each of its row groups has.

    Raises:
        RequestError: the file is damaged.
    """
    try:
        with open_parquet(path) as parquet:
            metadata = parquet.metadata
            rows = tuple(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
            return parquet.schema_arrow, rows
    except (OSError, pa.ArrowInvalid) as error:
        raise RequestError(f"{origin} cannot be read as Parquet: {error}") from error


def check_carried_types(
    files: Sequence[SourceFile], schemas: Sequence[pa.Schema], carried: Sequence[str], id_column: str | None
) -> None:
    """Refuse files in which a carried column has different types: their parts would not be one table.

    An id must be a number, a text or a date, so that it can be told whether it occurs twice.
    """
    for name in carried:
        if name == id_column and kind_of(schemas[0].field(name).type) is None and files[0].format == "parquet":
            found = schemas[0].field(name).type
            raise RequestError(f"{files[0].path}: the id {name!r} is {found}: an id is a number, a text or a date.")
        for file, schema in zip(files, schemas, strict=True):
            first, found = schemas[0].field(name).type, schema.field(name).type
            if found != first:
                raise RequestError(f"{file.path}: column {name!r} is {found}, in {files[0].path} it is {first}.")


def describe_columns(
    files: Sequence[SourceFile], schemas: Sequence[pa.Schema], card: Card, carried: Sequence[str]
) -> tuple[str, ...]:
    """Note the columns that no one asked for, which are not read, and another order of the features than the model's.

    The target is expected among the former.
    """
    known = {*carried, *(column.name for column in card.features), card.spec.data.target, *card.spec.data.drop}
    extra = {name: file.path for file, schema in zip(files, schemas, strict=True) for name in schema.names}
    notes = [f"column {name!r} of {path} is not read" for name, path in extra.items() if name not in known]
    order = [column.name for column in card.features]
    for file, schema in zip(files, schemas, strict=True):
        if [name for name in schema.names if name in set(order)] != order:
            return (*notes, f"the features of {file.path} stand in another order than the model's")
    return tuple(notes)
