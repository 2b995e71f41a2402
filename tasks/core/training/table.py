"""Tables: what is read for training, and what travels by reference after that."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from tasks.core.errors import RequestError
from tasks.core.metrics import Problem
from tasks.core.spec.sections import Data
from tasks.core.tables.arrow_files import write_table
from tasks.core.tables.columns import Column, feature_columns
from tasks.core.tables.csv_files import read_csv
from tasks.core.tables.frames import stored
from tasks.core.tables.parquet import read_parquet
from tasks.core.tables.sources import SourceFile
from tasks.core.tables.split import Split, held_out, make_split
from tasks.core.tables.targets import check_classes, check_target, has_target
from tasks.core.wording import nearest_name

MIN_ROWS = 10


@dataclass(frozen=True)
class SplitTable:
    """A table cut in two files: the rows that train, and the rows that judge."""

    train: str
    held_out: str
    features: tuple[Column, ...]
    split: Split
    rows_train: int
    rows_held_out: int
    rows_without_target: int


def read_files(files: Sequence[SourceFile], data: Data) -> pa.Table:
    """Read a source whole and check the columns that the spec names.

    Raises:
        RequestError: a column or every row is missing, or the files do not fit together.
    """
    as_text = (data.id,) if data.id else ()
    tables = [
        read_csv(file, as_text) if file.format == "csv" else read_parquet(file.path)
        for file in files
    ]
    for file, other in zip(files, tables, strict=True):
        if odd := set(tables[0].column_names) ^ set(other.column_names):
            raise RequestError(
                f"{files[0].path} and {file.path} do not have the same columns: {min(odd)!r} is in one only."
            )
    try:
        table = pa.concat_tables([decoded(table) for table in tables], promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise RequestError(f"The files of {data.source} do not fit together: {error}") from error
    roles = [data.target, data.id, data.time, data.segment, *data.drop]
    for name in filter(None, roles):
        if name not in table.column_names:
            raise RequestError(
                f"Column {name!r} is not in {data.source}{nearest_name(name, table.column_names)}"
            )
    if len(table) < MIN_ROWS:
        raise RequestError(
            f"{data.source} has {len(table)} rows; at least {MIN_ROWS} are needed to train and to judge."
        )
    return table


def decoded(table: pa.Table) -> pa.Table:
    """Write out the values of dictionary columns."""
    types = [
        field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        for field in table.schema
    ]
    return table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))


def split_rows(table: pa.Table, data: Data, problem: Problem, folder: Path) -> SplitTable:
    """Cut a table into `train.arrow` and `held_out.arrow` in a folder, with features in the types
    they are stored as.

    Raises:
        RequestError: the target does not suit the problem, or too few rows are on one side.
    """
    features = feature_columns(table.schema, {*filter(None, [data.target, data.id]), *data.drop})
    complete = table.filter(has_target(table[data.target]))
    check_target(complete[data.target], data.target, problem)
    typed = cast_columns(
        complete, [*(column.name for column in features), *filter(None, [data.time])]
    )
    split = make_split(typed, data.time, data.id)
    judges = held_out(typed, split)
    paths = {side: folder / f"{side}.arrow" for side in ("train", "held_out")}
    write_table(typed.filter(pa.array(~judges)), paths["train"])
    write_table(typed.filter(pa.array(judges)), paths["held_out"])
    rows = int(judges.sum())
    if not 0 < rows < len(typed):
        raise RequestError(
            f"Of {len(typed)} rows, {rows} would judge and {len(typed) - rows} train: both need some."
        )
    check_classes(typed[data.target].filter(pa.array(~judges)), data.target, problem)
    return SplitTable(
        str(paths["train"]),
        str(paths["held_out"]),
        features,
        split,
        len(typed) - rows,
        rows,
        len(table) - len(typed),
    )


def cast_columns(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Cast the named columns to the types they are stored as."""
    for name in set(names):
        position = table.column_names.index(name)
        table = table.set_column(position, name, stored(table[name]))
    return table


@dataclass(frozen=True)
class TableFile:
    """A table that travels by reference; `digest` is that of the full content it was read from."""

    path: str
    digest: str
    rows: int
