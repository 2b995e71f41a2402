import gzip

import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.tables.csv_files import header, iterate_csv, read_csv

TYPES = {"a": pa.float64()}


def rows(file, types=TYPES):
    batches = list(iterate_csv(file, types))
    return pa.Table.from_batches(batches).to_pylist()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\nNA,NA\n1,x\n", [{"a": None, "b": "NA"}, {"a": 1.0, "b": "x"}]),
        (
            "a,b\n,\n1,null\n2,x\n",
            [{"a": None, "b": None}, {"a": 1.0, "b": "null"}, {"a": 2.0, "b": "x"}],
        ),
        ('a,b\n1,""\n2,"x, y"\n', [{"a": 1.0, "b": None}, {"a": 2.0, "b": "x, y"}]),
        ('a,b\n1,"two\nlines"\n', [{"a": 1.0, "b": "two\nlines"}]),
        ('a,b\n1,"say ""no"""\n', [{"a": 1.0, "b": 'say "no"'}]),
        ("a,b\r\n1,x\r\n", [{"a": 1.0, "b": "x"}]),
        ("a,b\n1,x", [{"a": 1.0, "b": "x"}]),
        ("\ufeffa,b\n1,東京🚲\n", [{"a": 1.0, "b": "東京🚲"}]),
    ],
)
def test_what_is_written_is_what_is_read(write, content, expected):
    """NA is missing among numbers only; what is empty is missing; a byte order mark is no name."""
    file = write("in.csv", content)

    assert read_csv(file).to_pylist() == expected
    assert rows(file) == expected


def test_a_compressed_file_reads_like_a_plain_one(write):
    lines = ["a,b", *(f"{row},x{row}" for row in range(1000))]
    content = "\n".join(lines).encode()
    packed = write("in.csv.gz", gzip.compress(content))
    plain = write("in.csv", content)

    assert read_csv(packed).equals(read_csv(plain))


@pytest.mark.parametrize("id_", ["007", "9007199254740993", " 7 ", "NA", "1e3", "Å", "A\u030a"])
def test_ids_stay_as_they_are_written(write, id_):
    file = write("in.csv", f"id,a\n{id_},1\n")
    table = read_csv(file, as_text=("id",))

    assert table["id"].to_pylist() == [id_]
    assert rows(file) == [{"id": id_, "a": 1.0}]


def test_large_whole_numbers_beside_a_gap_are_not_rounded(write):
    file = write("in.csv", "n,x\n9007199254740993,1\n,2\n")
    table = read_csv(file)

    assert table["n"].to_pylist() == [9007199254740993, None]


BAD = {
    "a field too many": (b"a,b\n1,2\n1,2,3\n", "Expected 2 columns, got 3"),
    "a field too few": (b"a,b\n1,2\n1\n", "Expected 2 columns, got 1"),
    "a doubled name": (b"a,b,a\n1,2,3\n", "column 'a' occurs twice"),
    "a doubled number": (b"7,0,0\n1,2,3\n", "column '0' occurs twice; is the first line a row?"),
    "latin-1": ("a,b\n1,café\n".encode("latin-1"), "is not UTF-8"),
    "latin-1 name": ("a,café\n1,2\n".encode("latin-1"), "is not UTF-8"),
    "late latin-1": (b"a,b\n" + b"1,x\n" * 300_000 + b"1,\xe9\n", "UTF-?8"),
    "UTF-16": ("a,b\n1,x\n".encode("utf-16"), "is not UTF-8"),
    "long UTF-16": (("a,b\n" + "1,x\n" * 150_000).encode("utf-16"), "is not UTF-8"),
    "UTF-16 without a mark": ("a,b\n1,x\n".encode("utf-16-le"), "NUL"),
    "NUL in a value": (b"a,b\n1,x\0\n", "NUL"),
    "NUL in a name": (b"a\0,b\n1,x\n", "NUL"),
    "nothing": (b"", "is empty"),
    "semicolons": (b"a;b\n1;2\n", "seems to be separated by ';'"),
    "tabs": (b"a\tb\n1\t2\n", r"seems to be separated by '\\t'"),
    "an open quote in the last column": (b'a,b\n1,"x\n2,y\n3,z\n', "never closed"),
    "an open quote in the first column": (b'a,b\n1,x\n"2,y\n3,z\n', "never closed"),
    "an open quote that a later row closes": (
        b'a,b\n1,"x\n2,"y"\n3,"z"\n',
        "line 3, byte 11: text follows a closing",
    ),
    "an open quote in a middle column": (
        b'a,b,c\n1,"x,2\n3,"y",4\n',
        "line 3, byte 15: text follows a closing",
    ),
    "NUL after the first MiB": (
        b"a,b\n" + b"1,x\n" * 300_000 + b"1,\0\n",
        "line 300,002, byte 1,200,006: a NUL",
    ),
}


@pytest.mark.parametrize("read", [read_csv, rows])
@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD.keys())
def test_a_file_that_cannot_be_read_without_loss_is_refused(write, read, content, words):
    file = write("in.csv", content)
    with pytest.raises(RequestError, match=words) as refused:
        read(file)

    message = str(refused.value)
    assert file.path in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", gzip.compress(b"a,b\n" + b"1,2\n" * 999)[:-12]])
def test_a_file_that_is_not_the_gzip_it_is_named_is_refused(write, content):
    file = write("in.csv.gz", content)
    with pytest.raises(RequestError, match=r"in\.csv\.gz: "):
        read_csv(file)


def test_a_number_that_is_none_is_refused_with_its_row(write):
    file = write("in.csv", "a,b\n1,x\nmany,y\n")
    with pytest.raises(RequestError, match=r"column #0: Row #3: .*'many'"):
        rows(file)


def test_a_header_alone_has_names_and_no_rows(write):
    file = write("in.csv", "a,b\n")

    assert header(file) == ["a", "b"]
    assert len(read_csv(file)) == 0
    assert rows(file) == []


def test_a_wide_file_is_read_whole(write):
    numbers = list(range(10_000))
    names = [f"c{number}" for number in numbers]
    lines = [",".join(names), ",".join(map(str, numbers))]
    file = write("in.csv", "\n".join(lines))
    (row,) = read_csv(file).to_pylist()

    assert header(file) == names
    assert list(row.values()) == numbers
