"""The plan of a scoring run: its identity, and its pieces after every file was checked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.model.metadata import ModelMetadata
from tasks.core.model.predictor import KERNEL_ROWS
from tasks.core.output.manifest import Part, part_name
from tasks.core.scoring.checks import check_carried_types, check_file, describe_columns
from tasks.core.scoring.run import ScoringRun
from tasks.core.scoring.scorer import columns_read
from tasks.core.storage.digests import digest_of
from tasks.core.tables.csv_copy import copy_csv
from tasks.core.tables.parquet import read_footer
from tasks.core.tables.pieces import Piece, TableGroups, piece_rows, plan_pieces
from tasks.core.tables.sources import SourceFile


@dataclass(frozen=True)
class ScoringPlan:
    """The pieces of a source, in order, and what was found unusual about its files, and
    accepted.
    """

    pieces: tuple[Piece, ...]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows the source has."""
        return self.pieces[-1].first_row + self.pieces[-1].rows

    def part_names(self, run: ScoringRun) -> list[str]:
        """Name the part of each piece."""
        return [part_name(run.key, piece.number) for piece in self.pieces]


def plan_source(
    run: ScoringRun, files: Sequence[SourceFile], card: ModelMetadata, tables: Path
) -> tuple[ScoringRun, ScoringPlan]:
    """Check every file against the model's features, then cut the source into pieces, from metadata
    alone.

    A CSV file has none: it is copied once into a Parquet file in the folder `tables`, typed by the
    model, and read from there.

    Raises:
        RequestError: a file lacks a column, has one of another kind, or is damaged; or there is no
            row at all.
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
    plan = ScoringPlan(
        pieces, describe_columns(files, [schema for schema, _ in found], card, carried)
    )
    return replace(run, kernel=plan.rows >= KERNEL_ROWS), plan


def _groups(
    file: SourceFile,
    number: int,
    group_rows: tuple[int, ...],
    card: ModelMetadata,
    tables: Path,
    at_least: int,
) -> TableGroups:
    if file.format == "parquet":
        return TableGroups(file.path, file.path, number, group_rows)
    typed_as = digest_of(
        [file.digest, [[column.name, column.kind] for column in card.features], at_least]
    )
    path = copy_csv(file, card.features, tables / f"{number}-{typed_as[:16]}.parquet", at_least)
    return TableGroups(str(path), file.path, number, read_footer(str(path), file.path)[1])


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

    @property
    def rows_unfinished(self) -> int:
        """How many rows they have."""
        return sum(piece.rows for piece in self.unfinished)
