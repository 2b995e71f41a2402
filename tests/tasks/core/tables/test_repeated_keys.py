"""A column that the file and its folder both name: the same in both, or refused."""

import uuid
from datetime import date, datetime
from decimal import Decimal

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import RequestError
from tasks.core.spec.sections import Data
from tasks.core.tables.listing import list_source
from tasks.core.training.table import read_files

NULL = "__HIVE_DEFAULT_PARTITION__"


@pytest.mark.parametrize(
    ("folder", "column"),
    [
        ("k=1", pa.array([1] * 12, pa.int32())),
        ("k=01", pa.array([1] * 12)),
        ("k=9007199254740993", pa.array([9007199254740993] * 12)),
        ("k=1.50", pa.array([1.5] * 12)),
        ("k=1.50", pa.array([Decimal("1.5")] * 12)),
        ("k=true", pa.array([True] * 12)),
        ("k=01", pa.array(["1"] * 12)),
        ("k=New%20York", pa.array(["New York"] * 12).dictionary_encode()),
        ("k=2026-01-31", pa.array([date(2026, 1, 31)] * 12)),
        ("k=2026-01-31", pa.array([datetime(2026, 1, 31)] * 12)),  # noqa: DTZ001 - as stored
        (f"k={NULL}", pa.array([None] * 12, pa.string())),
    ],
)
def test_the_column_of_the_file_is_read_where_the_folder_says_the_same(
    tmp_path, write, folder, column
):
    write(f"{folder}/a.parquet", pa.table({"y": range(12), "k": column}))
    listing = list_source(str(tmp_path / folder / "a.parquet"))
    assert listing.keys == {}
    assert listing.schemas[0].field("k").type == column.type
    found = read_files(listing.files, Data(source="/in", target="y"))
    assert found["k"].to_pylist() == column.to_pylist()
    assert found.column_names == ["y", "k"]


def test_of_a_csv_file_too(tmp_path, write):
    write("day=2026-01-31/a.csv", "day,y\n" + "2026-01-31,1\n" * 12)
    write("day=2026-02-01/a.csv", "day,y\n" + "2026-02-01,1\n" * 12)
    listing = list_source(str(tmp_path))
    assert listing.schemas[0].names == ["day", "y"]
    found = read_files(listing.files, Data(source="/in", target="y"))
    assert found["day"].to_pylist() == [date(2026, 1, 31)] * 12 + [date(2026, 2, 1)] * 12


@pytest.mark.parametrize(
    ("says", "problem"), [("EU", None), ("US", "holds 'EU', where the folder")]
)
def test_of_a_file_on_an_object_store_too(says, problem):
    url = f"memory://{uuid.uuid4()}/k={says}/a.parquet"
    with fsspec.open(url, "wb") as file:
        pq.write_table(pa.table({"y": range(12), "k": ["EU"] * 12}), file)

    if problem is None:
        assert list_source(url).schemas[0].names == ["y", "k"]
    else:
        with pytest.raises(RequestError, match=problem):
            list_source(url)


@pytest.mark.parametrize(
    ("folder", "values", "words"),
    [
        ("k=2", [2] * 9 + [1], "column 'k' holds 1, where the folder says '2'"),
        ("k=2", [2, None], "column 'k' holds None, where the folder says '2'"),
        (f"k={NULL}", ["x"], "column 'k' holds 'x', where the folder says None"),
        ("k=EU", ["EU", "eu"], "column 'k' holds 'eu', where the folder says 'EU'"),
        ("k=one", [1], "column 'k' holds 1, where the folder says 'one'"),
        ("k=false", [True], "column 'k' holds True, where the folder says 'false'"),
    ],
)
def test_another_value_than_the_folder_says_is_refused(write, folder, values, words):
    file = write(f"{folder}/a.parquet", pa.table({"k": values}))
    with pytest.raises(RequestError, match=rf"a\.parquet: {words}: rename the folder, or"):
        list_source(file.path)
