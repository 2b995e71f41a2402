"""The plan of a scoring run: its pieces, after every file was checked."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.model.metadata import ModelMetadata
from tasks.core.model.predictor import KERNEL_ROWS
from tasks.core.model.scorer import columns_read
from tasks.core.output.manifest import Part, part_name
from tasks.core.scoring.checks import check_columns, describe_columns
from tasks.core.scoring.run import ScoringRun
from tasks.core.storage.digests import digest_of
from tasks.core.tables.csv_copy import copy_csv
from tasks.core.tables.key_columns import key_values, model_types
from tasks.core.tables.listing import SourceListing
from tasks.core.tables.parquet import read_footer
from tasks.core.tables.pieces import Piece, TableGroups, piece_rows, plan_pieces
from tasks.core.tables.sources import SourceFile


@dataclass(frozen=True)
class ScoringPlan:
    """The pieces of a source, in order.

    `notes` say what was unusual about its files, and accepted.
    """

    pieces: tuple[Piece, ...]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows the source has."""
        last = self.pieces[-1]
        return last.first_row + last.rows

    def part_names(self, run_key: str) -> list[str]:
        """Return the name of the part of each piece."""
        return [part_name(run_key, piece.number) for piece in self.pieces]


@dataclass(frozen=True)
class Planned:
    """A run, its pieces, and the parts that an earlier attempt finished, by number."""

    run: ScoringRun
    plan: ScoringPlan
    finished: dict[int, Part]

    @property
    def unfinished(self) -> list[Piece]:
        """The pieces that are still to be scored."""
        return [piece for piece in self.plan.pieces if piece.number not in self.finished]


def plan_source(
    run: ScoringRun,
    source: SourceListing,
    metadata: ModelMetadata,
    tables: Path,
    kernel_rows: int = KERNEL_ROWS,
) -> tuple[ScoringRun, ScoringPlan]:
    """Check every file against the model's features, then cut the source into pieces.

    The footers say all that is needed. A CSV file has none: it is copied once into a Parquet file,
    typed by the model, and read from there.

    Args:
        run: the scoring run.
        source: what is scored.
        metadata: what is stored with the model.
        tables: the folder of the copies.
        kernel_rows: the number of rows from which on the compiled kernel pays.

    Raises:
        RequestError: a file lacks a column, has one of another kind, or is damaged; or there is no
            row at all.
    """
    columns = run.options.columns
    check_columns(source, metadata.features, columns)

    read = columns_read(metadata.features, columns)
    at_least = piece_rows(max(metadata.width, len(read)))
    pieces = plan_pieces(list(_row_groups(source, metadata, tables, at_least)), at_least)
    if not pieces:
        raise RequestError(f"{source.files[0].path}: there are no rows to score.")

    plan = ScoringPlan(pieces, describe_columns(source, metadata, columns))
    options = replace(run.options, shortcuts=plan.rows >= kernel_rows)
    return replace(run, options=options), plan


def _row_groups(
    source: SourceListing, metadata: ModelMetadata, tables: Path, at_least: int
) -> Iterator[TableGroups]:
    """Yield each file with the rows of its row groups; of a CSV file, those of its copy."""
    key_types = model_types(source.keys, metadata.features)
    in_files = [column for column in metadata.features if column.name not in key_types]

    for number, (file, footer) in enumerate(zip(source.files, source.footers, strict=True)):
        keys = key_values(file.path, key_types)
        if file.format == "parquet":
            yield TableGroups(file.path, file.path, file.revision, number, footer.group_rows, keys)
            continue

        name = _copy_name(file, number, metadata, at_least)
        path = str(copy_csv(file, in_files, tables / name, at_least))
        group_rows = read_footer(path, file.path).group_rows
        yield TableGroups(path, file.path, file.revision, number, group_rows, keys)


def _copy_name(file: SourceFile, number: int, metadata: ModelMetadata, at_least: int) -> str:
    """Name a copy by its file and its types: another model may type the columns otherwise."""
    types = [[column.name, column.kind, column.zoned] for column in metadata.features]
    identity = digest_of([file.digest, file.revision, types, at_least])
    return f"{number}-{identity[:16]}.parquet"
