import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import RequestError
from tasks.core.tables.columns import Column
from tasks.core.tables.csv_copy import PROBLEM, convert, copy_csv

FEATURES = (
    Column("n", "numeric"),
    Column("flag", "boolean"),
    Column("city", "categorical"),
    Column("at", "date"),
)
HEADER = "id,n,flag,city,at\n"
GOOD = "0, 1.5,true,Oslo,2024-01-01\n"


def copied(tmp_path, file, group_rows=100):
    return pq.read_table(copy_csv(file, FEATURES, tmp_path / "copy.parquet", group_rows))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("1,x,true,Oslo,2024-01-01", "column 'n': 'x' is no number"),
        ("1,1_000,true,Oslo,2024-01-01", "column 'n': '1_000' is no number"),
        ("1,1,perhaps,Oslo,2024-01-01", "column 'flag': 'perhaps' is no boolean"),
        ("1,1,true,Oslo,soon", "column 'at': 'soon' is no date"),
        (
            "1,x,y,Oslo,z",
            "column 'n': 'x' is no number; column 'flag': 'y' is no boolean; column 'at': 'z' is no date",
        ),
        ("1,1e400,true,007,2024-01-01", None),
        ("1,inf,0,NA,NA", None),
        ("1,,,,", None),
    ],
)
def test_a_row_with_a_value_of_another_type_says_so_and_all_others_stay_what_they_are(
    tmp_path, write, row, problem
):
    alone = (
        copied(tmp_path / "a", write("good.csv", HEADER + GOOD * 3))
        if (tmp_path / "a").mkdir() is None
        else None
    )
    table = copied(tmp_path, write("mixed.csv", HEADER + GOOD + row + "\n" + GOOD))
    assert table[PROBLEM].to_pylist() == [None, problem, None]
    assert table.take([0, 2]).equals(alone.take([0, 2]))
    assert table.schema == alone.schema


@pytest.mark.parametrize(
    "number",
    ["1", " 1.5 ", "-0", "1e-320", "9007199254740993", "nan", "NaN", "NA", "null", "#N/A", ""],
)
def test_a_number_is_the_same_whether_or_not_another_row_is_bad(tmp_path, write, number):
    """A bad row makes the whole file be converted in another way, which must not be seen."""
    good = f"{HEADER}0,{number},true,x,2024-01-01\n"
    (tmp_path / "a").mkdir()
    fast = copied(tmp_path / "a", write("fast.csv", good))
    slow = copied(tmp_path, write("slow.csv", good + "1,many,true,x,2024-01-01\n"))
    assert fast["n"].slice(0, 1).combine_chunks().equals(
        slow["n"].slice(0, 1).combine_chunks()
    ) or number in {
        "nan",
        "NaN",
    }
    assert str(fast["n"][0]) == str(slow["n"][0])


def test_a_ragged_row_is_refused_with_its_line_and_byte(tmp_path, write):
    file = write("bad.csv", HEADER + GOOD + "1,2\n")
    with pytest.raises(
        RequestError,
        match=r"bad\.csv: the row that begins in line 3, byte 46: .*Expected 5 columns",
    ):
        copied(tmp_path, file)
    assert list(tmp_path.glob("copy*.parquet")) == []


def test_text_that_is_not_utf8_is_refused_with_its_line_and_byte(tmp_path, write):
    file = write("bad.csv", (HEADER + GOOD).encode() + b"1,1,true,caf\xe9,2024-01-01\n")
    with pytest.raises(
        RequestError, match=r"bad\.csv: line 3, byte 58 is not UTF-8: convert the file first"
    ):
        copied(tmp_path, file)


def test_a_finished_copy_is_taken_as_it_is(tmp_path, write):
    file = write("good.csv", HEADER + GOOD)
    first = copy_csv(file, FEATURES, tmp_path / "copy.parquet", 100).stat().st_mtime_ns
    assert copy_csv(file, FEATURES, tmp_path / "copy.parquet", 100).stat().st_mtime_ns == first


def test_many_bad_values_are_found_each_by_its_row():
    texts = ["x" if number % 7 == 0 else str(number) for number in range(1000)]
    found = convert(pa.record_batch({"n": texts}), FEATURES[:1])
    assert [row for row, said in enumerate(found[PROBLEM].to_pylist()) if said] == list(
        range(0, 1000, 7)
    )
    assert found["n"].drop_null().to_pylist() == [
        float(number) for number in range(1000) if number % 7
    ]


def test_dates_with_and_without_a_zone_in_one_file_are_each_what_they_say(tmp_path, write):
    rows = [
        "1,1,1,x,2024-01-01T00:00:00",
        "2,1,1,x,2024-01-01T00:00:00Z",
        "3,1,1,x,soon",
        "4,1,1,x,2024-01-01T02:00+02:00",
    ]
    table = copied(tmp_path, write("dates.csv", HEADER + "\n".join(rows) + "\n"))
    assert [str(at) for at in table["at"].to_pylist()] == ["2024-01-01 00:00:00"] * 2 + [
        "None",
        "2024-01-01 00:00:00",
    ]
    assert table[PROBLEM].to_pylist() == [None, None, "column 'at': 'soon' is no date", None]
