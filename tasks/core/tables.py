"""Tables: what is read for training, and what travels by reference after that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.columns import Column, feature_columns, kind_of, nearest_name, stored
from tasks.core.csv_files import read_csv
from tasks.core.errors import RequestError
from tasks.core.metrics import Problem
from tasks.core.sources import SourceFile, open_parquet
from tasks.core.spec import Data
from tasks.core.split import Split, held_out, make_split

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
    tables = [read_csv(file, as_text) if file.format == "csv" else read_parquet(file) for file in files]
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
            raise RequestError(f"Column {name!r} is not in {data.source}{nearest_name(name, table.column_names)}")
    if len(table) < MIN_ROWS:
        raise RequestError(
            f"{data.source} has {len(table)} rows; at least {MIN_ROWS} are needed to train and to judge."
        )
    return table


def decoded(table: pa.Table) -> pa.Table:
    """Write out the values of dictionary columns."""
    types = [field.type.value_type if pa.types.is_dictionary(field.type) else field.type for field in table.schema]
    return table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))


def read_parquet(file: SourceFile) -> pa.Table:
    """Read a whole Parquet file.

    Raises:
        RequestError: it is damaged.
    """
    try:
        with open_parquet(file.path) as parquet:
            return parquet.read()
    except (OSError, pa.ArrowInvalid) as error:
        raise RequestError(f"{file.path} cannot be read as Parquet: {error}") from error


def split_rows(table: pa.Table, data: Data, problem: Problem, folder: Path) -> SplitTable:
    """Cut a table into `train.arrow` and `held_out.arrow` in a folder, with features in the types they are stored as.

    Raises:
        RequestError: the target does not suit the problem, or too few rows are on one side.
    """
    features = feature_columns(table.schema, {*filter(None, [data.target, data.id]), *data.drop})
    complete = table.filter(has_target(table[data.target]))
    check_target(complete[data.target], data.target, problem)
    typed = cast_columns(complete, [*(column.name for column in features), *filter(None, [data.time])])
    split = make_split(typed, data.time, data.id)
    judges = held_out(typed, split)
    paths = {side: folder / f"{side}.arrow" for side in ("train", "held_out")}
    write_table(typed.filter(pa.array(~judges)), paths["train"])
    write_table(typed.filter(pa.array(judges)), paths["held_out"])
    rows = int(judges.sum())
    if not 0 < rows < len(typed):
        raise RequestError(f"Of {len(typed)} rows, {rows} would judge and {len(typed) - rows} train: both need some.")
    check_classes(typed[data.target].filter(pa.array(~judges)), data.target, problem)
    return SplitTable(
        str(paths["train"]), str(paths["held_out"]), features, split, len(typed) - rows, rows, len(table) - len(typed)
    )


def cast_columns(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Cast the named columns to the types they are stored as."""
    for name in set(names):
        position = table.column_names.index(name)
        table = table.set_column(position, name, stored(table[name]))
    return table


def has_target(target: pa.ChunkedArray) -> pa.ChunkedArray:
    """Tell which rows have a target: neither null nor NaN."""
    present = pc.is_valid(target)
    if pa.types.is_floating(target.type):
        present = pc.and_(present, pc.invert(pc.fill_null(pc.is_nan(target), fill_value=False)))
    return present


def check_target(target: pa.ChunkedArray, name: str, problem: Problem) -> None:
    """Refuse a target that the problem cannot have."""
    kind = kind_of(target.type)
    if not len(target):
        raise RequestError(f"The target {name!r} is missing in every row.")
    if pa.types.is_floating(target.type) and not pc.all(pc.is_finite(target)).as_py():
        raise RequestError(f"The target {name!r} is infinite in some rows.")
    if problem == "regression":
        if kind != "numeric":
            raise RequestError(f"The target {name!r} is {target.type}, not a number: set `problem: classification`.")
        return
    if kind not in {"numeric", "categorical", "boolean"}:
        raise RequestError(f"The target {name!r} is {target.type}, which cannot be a class.")
    if pa.types.is_floating(target.type) and not pc.all(pc.equal(target, pc.floor(target))).as_py():
        raise RequestError(f"The target {name!r} has fractions: set `problem: regression`.")
    check_classes(target, name, problem)


def check_classes(target: pa.ChunkedArray, name: str, problem: Problem) -> None:
    """Refuse a classification with fewer than two classes."""
    if problem == "classification" and (classes := pc.unique(target).to_pylist()) and len(classes) < 2:  # noqa: PLR2004
        raise RequestError(
            f"The target {name!r} has one class only ({classes[0]!r}) in the rows that train: two are needed."
        )


def target_values(table: pa.Table, name: str, problem: Problem) -> NDArray[Any]:
    """Give the target as scikit-learn takes it, shape (n,): float64 numbers, or labels as int64, bool or str."""
    column = table[name]
    if problem == "regression":
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())
    kind = kind_of(column.type)
    types: dict[str | None, Callable[[], pa.ChunkedArray]] = {
        "numeric": lambda: column.cast(pa.int64()),
        "boolean": lambda: column,
        "categorical": lambda: column.cast(pa.string()),
    }
    values = types[kind]().to_numpy()
    return np.asarray(values, dtype=object if kind == "categorical" else values.dtype)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table so that it can be memory-mapped."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def open_table(path: str) -> pa.Table:
    """Map a table into memory, without reading it."""
    with pa.memory_map(path) as source:
        return pa.ipc.open_file(source).read_all()
