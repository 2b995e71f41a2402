"""Tables: what is read for training, and what travels by reference after that."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.errors import RequestError
from tasks.core.metrics import Problem
from tasks.core.spec.sections import Data
from tasks.core.tables.arrow_files import write_table
from tasks.core.tables.columns import Column, kind_of
from tasks.core.tables.csv_files import read_csv
from tasks.core.tables.frames import stored
from tasks.core.tables.key_columns import add_keys, key_values
from tasks.core.tables.parquet import read_parquet
from tasks.core.tables.partitions import key_types
from tasks.core.tables.sources import SourceFile
from tasks.core.tables.split import Split, held_out, make_split
from tasks.core.tables.targets import check_classes, check_target, has_target
from tasks.core.tables.timestamps import check_dates, same_zone
from tasks.core.training.features import choose_features, describe_columns, leave_out_index
from tasks.core.wording import nearest_name

MIN_ROWS = 10


@dataclass(frozen=True)
class TableFile:
    """A table that travels by reference; `digest` is that of the full content it was read from."""

    path: str
    digest: str
    rows: int


@dataclass(frozen=True)
class SplitTable:
    """A table in two files: the rows that train, and the rows that judge.

    `notes` say what a person should know of its columns.
    """

    train: str
    held_out: str
    features: tuple[Column, ...]
    split: Split
    rows_train: int
    rows_held_out: int
    rows_without_target: int
    notes: tuple[str, ...] = ()


def read_files(files: Sequence[SourceFile], data: Data) -> pa.Table:
    """Read a source whole and check the columns that the spec names.

    Raises:
        RequestError: a column or every row is missing, or the files do not fit together.
        SourceChangedError: a file is no longer the one that was identified.
    """
    as_text = () if data.id is None else (data.id,)
    tables = [
        read_csv(file, as_text) if file.format == "csv" else read_parquet(file.path, file.revision)
        for file in files
    ]
    tables = _add_keys(files, tables)
    _check_same_columns(files, tables)

    try:
        decoded = _unify_dates([_decode_dictionaries(table) for table in tables])
        decoded = _unify_numbers(decoded, data.id)
        table = pa.concat_tables(decoded, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise RequestError(f"The files of {data.source} do not fit together: {error}") from error

    _check_roles(table, data)
    if len(table) < MIN_ROWS:
        raise RequestError(
            f"{data.source} has {len(table)} rows; "
            f"at least {MIN_ROWS} are needed to train and to judge."
        )
    return table


def _add_keys(files: Sequence[SourceFile], tables: Sequence[pa.Table]) -> list[pa.Table]:
    """Return the tables with the keys of their folders that are no columns of theirs yet."""
    own_columns = {name for table in tables for name in table.column_names}
    types = key_types([file.path for file in files])
    missing = {name: type_ for name, type_ in types.items() if name not in own_columns}
    return [
        add_keys(table, key_values(file.path, missing))
        for file, table in zip(files, tables, strict=True)
    ]


def _check_same_columns(files: Sequence[SourceFile], tables: Sequence[pa.Table]) -> None:
    first = set(tables[0].column_names)
    for file, table in zip(files, tables, strict=True):
        if odd := first ^ set(table.column_names):
            raise RequestError(
                f"{files[0].path} and {file.path} do not have the same columns: "
                f"{min(odd)!r} is in one only."
            )


def _check_roles(table: pa.Table, data: Data) -> None:
    """Refuse a table without a column that the spec gives a role."""
    names = table.column_names
    roles = [data.target, data.id, data.time, data.segment, *data.drop]
    for role in roles:
        if role is not None and role not in names:
            hint = nearest_name(role, names)
            raise RequestError(f"Column {role!r} is not in {data.source}{hint}")


def _decode_dictionaries(table: pa.Table) -> pa.Table:
    """Return the table with plain values in place of dictionaries, which files may not share."""
    fields = []
    for field in table.schema:
        encoded = pa.types.is_dictionary(field.type)
        plain = field.type.value_type if encoded else field.type
        fields.append((field.name, plain))
    return table.cast(pa.schema(fields))


def _unify_dates(tables: Sequence[pa.Table]) -> Sequence[pa.Table]:
    """Return the tables with dates of several units in microseconds: the finest have less room."""
    for name in tables[0].column_names:
        types = {table.schema.field(name).type for table in tables}
        are_dates = all(kind_of(type_) == "date" for type_ in types)
        if len(types) > 1 and are_dates and same_zone(types):
            for table in tables:
                check_dates(table[name], name)
            tables = [_cast_as_stored(table, [name]) for table in tables]
    return tables


def _unify_numbers(tables: Sequence[pa.Table], id_column: str | None) -> Sequence[pa.Table]:
    """Return the tables with numbers of several types in float64, as they are scored.

    Arrow itself would round decimals to the float32 of another file.
    """
    for name in tables[0].column_names:
        types = {table.schema.field(name).type for table in tables}
        are_numbers = all(kind_of(type_) == "numeric" for type_ in types)
        are_integers = all(pa.types.is_integer(type_) for type_ in types)
        if len(types) > 1 and are_numbers and not are_integers and name != id_column:
            tables = [_cast_as_stored(table, [name]) for table in tables]
    return tables


def split_rows(table: pa.Table, data: Data, problem: Problem, folder: Path) -> SplitTable:
    """Write the rows that train and the rows that judge into `train.arrow` and `held_out.arrow`.

    Features are written in the types they are stored as; rows without a target are left out.

    Raises:
        RequestError: the target does not suit the problem, a date is too far away, or too few rows
            are on one side.
    """
    table, index = leave_out_index(table, data)
    features = choose_features(table, data)
    names = [column.name for column in features]
    if data.time is not None:
        names.append(data.time)
    for name in names:
        check_dates(table[name], name)

    complete = table.filter(has_target(table[data.target]))
    check_target(complete[data.target], data.target, problem)
    typed = _cast_as_stored(complete, names)

    split = make_split(typed, data.time, data.id)
    judges = held_out(typed, split)
    _check_sides(typed[data.target], judges, data.target, problem)

    train, held = folder / "train.arrow", folder / "held_out.arrow"
    write_table(typed.filter(pa.array(~judges)), train)
    write_table(typed.filter(pa.array(judges)), held)
    return SplitTable(
        train=str(train),
        held_out=str(held),
        features=features,
        split=split,
        rows_train=int((~judges).sum()),
        rows_held_out=int(judges.sum()),
        rows_without_target=len(table) - len(typed),
        notes=describe_columns(table, index, features),
    )


def _check_sides(
    target: pa.ChunkedArray, judges: NDArray[np.bool_], name: str, problem: Problem
) -> None:
    """Refuse a split with no row on one side, or with one class only on the side that trains."""
    rows_held_out = int(judges.sum())
    rows_train = len(judges) - rows_held_out
    if not (rows_train and rows_held_out):
        raise RequestError(
            f"Of {len(judges)} rows, {rows_held_out} would judge and {rows_train} train: "
            "both need some."
        )
    check_classes(target.filter(pa.array(~judges)), name, problem)


def _cast_as_stored(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return the table with the named columns in the types that their kinds are stored as."""
    for name in set(names):
        position = table.column_names.index(name)
        table = table.set_column(position, name, stored(table[name]))
    return table
