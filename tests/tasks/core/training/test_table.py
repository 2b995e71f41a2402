from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from tasks.core.errors import RequestError, SourceChangedError
from tasks.core.spec.sections import Data
from tasks.core.tables.arrow_files import open_table
from tasks.core.tables.listing import list_source
from tasks.core.tables.split import held_out
from tasks.core.training.table import read_files, split_rows

NUMBERS = range(300)
TABLE = pa.table(
    {
        "id": [f"r{number}" for number in NUMBERS],
        "x": pa.array(NUMBERS, pa.int32()),
        "city": pa.array(["Oslo", None, "NA"] * 100).dictionary_encode(),
        "raw": [bytes([number % 256, 255]) for number in NUMBERS],
        "y": [None if number % 10 == 0 else float(number) for number in NUMBERS],
    }
)


def data(**fields):
    return Data(**{"source": "/in", "target": "y", **fields})


def test_files_are_read_in_order_and_their_types_fit_together(tmp_path, write):
    write("a.parquet", pa.table({"y": [1] * 6, "x": [1, 2, 3, 4, 5, 6]}))
    write("b.parquet", pa.table({"x": [7.5] * 5, "y": [2] * 5}))

    table = read_files(list_source(str(tmp_path)).files, data())
    assert table["x"].to_pylist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] + [7.5] * 5
    assert table["y"].to_pylist() == [1] * 6 + [2] * 5


@pytest.mark.parametrize("other", [pa.float16(), pa.float32(), pa.decimal256(60, 5), pa.float64()])
def test_decimals_keep_their_value_beside_the_numbers_of_another_file(tmp_path, write, other):
    amounts = [Decimal("-99999999.99"), Decimal("1.10")] * 5
    write("a.parquet", pa.table({"y": range(10), "x": pa.array(amounts, pa.decimal128(38, 2))}))
    write("b.parquet", pa.table({"y": range(10), "x": pa.array([0.5] * 10).cast(other)}))

    table = read_files(list_source(str(tmp_path)).files, data())
    assert table["x"].to_pylist() == [-99999999.99, 1.1] * 5 + [0.5] * 10


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_what_is_trained_on_is_the_file_that_was_identified(tmp_path, write, settled, name):
    """Another file that has its name for a while is not read, nor one that was touched since."""
    content = {"a.parquet": TABLE, "a.csv": "id,y\n" + "7,1\n" * 12}[name]
    source = list_source(write(name, content).path)
    settled()
    (tmp_path / name).rename(tmp_path / "away").rename(tmp_path / name)
    with pytest.raises(SourceChangedError, match=rf"{name} changed while it was being read"):
        read_files(source.files, data())


def test_dictionaries_are_written_out_as_files_need_not_share_them(tmp_path, write):
    cities = pa.array(["Oslo", "Bergen"] * 5)
    write("a.parquet", pa.table({"y": range(10), "city": cities.dictionary_encode()}))
    write("b.parquet", pa.table({"y": range(10), "city": cities}))

    table = read_files(list_source(str(tmp_path)).files, data())
    assert table["city"].type == pa.string()
    assert table["city"].to_pylist() == ["Oslo", "Bergen"] * 10


def test_the_id_of_a_csv_file_is_read_as_it_is_written(write):
    file = write("in.csv", "id,y\n" + "007,1\n" * 12)
    named = read_files([file], data(id="id"))
    assert set(named["id"].to_pylist()) == {"007"}

    not_named = read_files([file], data())
    assert set(not_named["id"].to_pylist()) == {7}


@pytest.mark.parametrize(
    ("header", "rows", "fields", "words"),
    [
        ("id,x,y", 9, {}, "has 9 rows; at least 10"),
        ("id,x,y", 0, {}, "has 0 rows"),
        ("id,x,z", 12, {}, "Column 'y' is not in /in; it has 'id', 'x', 'z'"),
        ("id,x,y", 12, {"id": "ID"}, "Column 'ID' is not in"),
        ("id,x,y", 12, {"time": "hour"}, "Column 'hour' is not in"),
        ("id,segments,y", 12, {"segment": "segment"}, "did you mean 'segments'"),
        ("id,x,y", 12, {"drop": ["x", "zz"]}, "Column 'zz' is not in"),
    ],
)
def test_a_table_without_what_the_spec_names_is_refused(write, header, rows, fields, words):
    file = write("in.csv", f"{header}\n" + "1,2,3\n" * rows)
    with pytest.raises(RequestError, match=words):
        read_files([file], data(**fields))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"y": range(10), "x": ["a"] * 10}, "do not fit together: .*x has incompatible types"),
        ({"y": range(10), "z": range(10)}, "do not have the same columns: 'x' is in one only"),
    ],
)
def test_files_of_different_columns_or_types_are_refused(tmp_path, write, other, words):
    write("a.parquet", pa.table({"y": range(10), "x": range(10)}))
    write("b.parquet", pa.table(other))
    with pytest.raises(RequestError, match=words):
        read_files(list_source(str(tmp_path)).files, data())


def test_each_row_with_a_target_is_on_one_side_and_the_others_are_counted(tmp_path):
    found = split_rows(TABLE, data(id="id", drop=["raw"]), "regression", tmp_path)
    train, judges = open_table(found.train), open_table(found.held_out)
    ids = train["id"].to_pylist() + judges["id"].to_pylist()
    with_target = [f"r{number}" for number in NUMBERS if number % 10]
    assert sorted(ids) == sorted(with_target)

    assert (found.rows_train, found.rows_held_out) == (len(train), len(judges))
    assert found.rows_without_target == 30
    assert held_out(judges, found.split).all()
    assert not held_out(train, found.split).any()


def test_features_are_what_is_left_and_are_written_as_they_are_stored(tmp_path):
    found = split_rows(TABLE, data(id="id", drop=["raw"]), "regression", tmp_path)
    kinds = {column.name: column.kind for column in found.features}
    assert kinds == {"x": "numeric", "city": "categorical"}

    schema = open_table(found.train).schema
    assert [str(schema.field(name).type) for name in kinds] == ["double", "string"]


def test_rows_without_an_id_are_split_by_their_content_whatever_is_dropped(tmp_path):
    table = TABLE.drop_columns(["id"])
    found = split_rows(table, data(drop=["raw"]), "regression", tmp_path)
    assert found.rows_train + found.rows_held_out == 270
    assert found.split.columns == ("city", "raw", "x", "y")


def test_by_time_no_row_that_trains_is_newer_than_one_that_judges(tmp_path):
    times = np.random.default_rng(1).permutation(300)
    table = TABLE.append_column("t", pa.array(times))
    found = split_rows(table, data(id="id", time="t", drop=["raw"]), "regression", tmp_path)

    train, judges = open_table(found.train), open_table(found.held_out)
    assert max(train["t"].to_pylist()) < min(judges["t"].to_pylist())
    assert found.rows_held_out == 54


NEW_CLASS = pa.table({"t": range(10), "y": ["a"] * 8 + ["b"] * 2})


@pytest.mark.parametrize(
    ("table", "fields", "problem", "words"),
    [
        (TABLE, {"id": "id"}, "regression", "'raw' is of type binary, .* add it to `data.drop`"),
        (TABLE.select(["id", "y"]), {"id": "id"}, "regression", "No column is left"),
        (TABLE.slice(0, 1).select(["x", "y"]), {}, "regression", "is missing in every row"),
        (TABLE.slice(1, 1).select(["x", "y"]), {}, "regression", "both need some"),
        (NEW_CLASS, {"time": "t"}, "classification", "has one class only"),
    ],
)
def test_a_table_that_cannot_train_or_judge_is_refused(tmp_path, table, fields, problem, words):
    with pytest.raises(RequestError, match=words):
        split_rows(table, data(**fields), problem, tmp_path)
    assert list(tmp_path.iterdir()) == []
