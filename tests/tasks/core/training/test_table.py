import numpy as np
import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.spec.sections import Data
from tasks.core.tables.arrow_files import open_table
from tasks.core.tables.open_source import open_source
from tasks.core.tables.split import held_out
from tasks.core.tables.targets import check_target, has_target, target_values
from tasks.core.training.table import read_files, split_rows

NAN = float("nan")


def chunked(values, type_=None):
    return pa.chunked_array([pa.array(values, type_)])


def data(**fields):
    return Data(**{"source": "/in", "target": "y", **fields})


def test_files_are_read_in_order_and_their_types_fit_together(tmp_path, write):
    write("a.parquet", pa.table({"y": [1] * 6, "x": [1, 2, 3, 4, 5, 6]}))
    write("b.parquet", pa.table({"x": [7.5] * 5, "y": [2] * 5}))
    table = read_files(open_source(str(tmp_path)).files, data())
    assert table["x"].to_pylist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] + [7.5] * 5
    assert table["y"].to_pylist() == [1] * 6 + [2] * 5


def test_the_id_of_a_csv_file_is_read_as_it_is_written(write):
    file = write("in.csv", "id,y\n" + "".join(f"{number:03},1\n" for number in range(12)))
    assert read_files([file], data(id="id"))["id"].to_pylist()[:2] == ["000", "001"]
    assert read_files([file], data())["id"].to_pylist()[:2] == [0, 1]


@pytest.mark.parametrize(
    ("content", "fields", "words"),
    [
        ("id,x,y\n" + "1,2,3\n" * 9, {}, "has 9 rows; at least 10"),
        ("id,x,y\n", {}, "has 0 rows"),
        ("id,x,z\n" + "1,2,3\n" * 12, {}, "Column 'y' is not in /in; it has id, x, z"),
        ("id,x,y\n" + "1,2,3\n" * 12, {"id": "ID"}, "Column 'ID' is not in"),
        ("id,x,y\n" + "1,2,3\n" * 12, {"time": "hour"}, "Column 'hour' is not in"),
        ("id,segments,y\n" + "1,2,3\n" * 12, {"segment": "segment"}, "did you mean segments?"),
        ("id,x,y\n" + "1,2,3\n" * 12, {"drop": ["x", "zz"]}, "Column 'zz' is not in"),
    ],
)
def test_a_table_without_what_the_spec_names_is_refused(write, content, fields, words):
    with pytest.raises(RequestError, match=words):
        read_files([write("in.csv", content)], data(**fields))


def test_files_of_different_types_are_refused(tmp_path, write):
    write("a.parquet", pa.table({"y": range(10), "x": range(10)}))
    write("b.parquet", pa.table({"y": range(10), "x": ["a"] * 10}))
    with pytest.raises(RequestError, match=r"do not fit together: .*x has incompatible types"):
        read_files(open_source(str(tmp_path)).files, data())


@pytest.mark.parametrize(
    ("target", "problem", "words"),
    [
        (chunked([1.5, 2]), "regression", None),
        (chunked([1, 2]), "regression", None),
        (
            chunked(["a", "b"]),
            "regression",
            "is string, not a number: set `problem: classification`",
        ),
        (chunked([True, False]), "regression", "is bool, not a number"),
        (chunked([1.0, float("inf")]), "regression", "is infinite"),
        (chunked([], pa.float64()), "regression", "is missing in every row"),
        (chunked(["a", "b"]), "classification", None),
        (chunked(["a", "b"]).dictionary_encode(), "classification", None),
        (chunked([True, False]), "classification", None),
        (chunked([1, 2]), "classification", None),
        (chunked([1.0, 2.0]), "classification", None),
        (chunked([1.0, 2.5]), "classification", "has fractions: set `problem: regression`"),
        (chunked([1.0, float("inf")]), "classification", "is infinite"),
        (chunked(["a", "a"]), "classification", "has one class only .'a'."),
        (chunked([b"a", b"b"]), "classification", "is binary, which cannot be a class"),
        (chunked([0, 1], pa.timestamp("us")), "classification", "cannot be a class"),
    ],
)
def test_the_target_suits_the_problem_or_is_refused(target, problem, words):
    if words is None:
        assert check_target(target, "y", problem) is None
        return
    with pytest.raises(RequestError, match=f"The target 'y' .*{words}"):
        check_target(target, "y", problem)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, None, NAN, 0.0], [True, False, False, True]),
        ([1, None], [True, False]),
        (["", None], [True, False]),
    ],
)
def test_a_target_is_there_where_it_is_neither_null_nor_nan(values, expected):
    assert has_target(chunked(values)).to_pylist() == expected


@pytest.mark.parametrize(
    ("target", "problem", "values", "dtype"),
    [
        (chunked([1, 2]), "regression", [1.0, 2.0], "float64"),
        (chunked([2**60 + 1, 1]), "regression", [2.0**60, 1.0], "float64"),
        (chunked([1.0, 2.0]), "classification", [1, 2], "int64"),
        (chunked([1, 2], pa.int8()), "classification", [1, 2], "int64"),
        (chunked([True, False]), "classification", [True, False], "bool"),
        (chunked(["a", "b"]), "classification", ["a", "b"], "object"),
        (chunked(["a", "b"]).dictionary_encode(), "classification", ["a", "b"], "object"),
    ],
)
def test_the_target_is_numbers_or_labels(target, problem, values, dtype):
    found = target_values(pa.table({"y": target}), "y", problem)
    assert (found.tolist(), str(found.dtype)) == (values, dtype)


TABLE = pa.table({
    "id": [f"r{number}" for number in range(300)],
    "x": pa.array(range(300), pa.int32()),
    "city": pa.array(["Oslo", None, "NA"] * 100).dictionary_encode(),
    "raw": [bytes([number % 256, 255]) for number in range(300)],
    "y": [None if number % 10 == 0 else float(number) for number in range(300)],
})  # fmt: skip


def test_each_row_with_a_target_is_on_one_side_and_the_others_are_counted(tmp_path):
    found = split_rows(TABLE, data(id="id", drop=["raw"]), "regression", tmp_path)
    train, judges = open_table(found.train), open_table(found.held_out)
    ids = train["id"].to_pylist() + judges["id"].to_pylist()
    assert sorted(ids) == sorted(f"r{number}" for number in range(300) if number % 10)
    assert (found.rows_train, found.rows_held_out, found.rows_without_target) == (
        len(train),
        len(judges),
        30,
    )
    assert held_out(judges, found.split).all()
    assert not held_out(train, found.split).any()
    assert [(column.name, column.kind) for column in found.features] == [
        ("x", "numeric"),
        ("city", "categorical"),
    ]
    assert [str(train.schema.field(name).type) for name in ("x", "city")] == ["double", "string"]


def test_rows_without_an_id_are_split_by_their_content_whatever_is_dropped(tmp_path):
    found = split_rows(TABLE.drop_columns(["id"]), data(drop=["raw"]), "regression", tmp_path)
    assert found.rows_train + found.rows_held_out == 270
    assert found.split.columns == ("city", "raw", "x", "y")


def test_by_time_no_row_that_trains_is_newer_than_one_that_judges(tmp_path):
    table = TABLE.append_column("t", pa.array(np.random.default_rng(1).permutation(300)))
    found = split_rows(table, data(id="id", time="t", drop=["raw"]), "regression", tmp_path)
    train, judges = open_table(found.train), open_table(found.held_out)
    assert max(train["t"].to_pylist()) < min(judges["t"].to_pylist())
    assert found.rows_held_out == 54


@pytest.mark.parametrize(
    ("table", "fields", "problem", "words"),
    [
        (TABLE, {"id": "id"}, "regression", "'raw' is of type binary, .* add it to `data.drop`"),
        (TABLE.select(["id", "y"]), {"id": "id"}, "regression", "No column is left"),
        (TABLE.slice(0, 1).select(["x", "y"]), {}, "regression", "is missing in every row"),
        (TABLE.slice(1, 1).select(["x", "y"]), {}, "regression", "both need some"),
        (
            pa.table({"t": range(10), "y": ["a"] * 8 + ["b"] * 2}),
            {"time": "t"},
            "classification",
            "has one class only",
        ),
    ],
)
def test_a_table_that_cannot_train_or_judge_is_refused(tmp_path, table, fields, problem, words):
    with pytest.raises(RequestError, match=words):
        split_rows(table, data(**fields), problem, tmp_path)
