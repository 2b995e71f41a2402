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


@pytest.fixture
def copied(tmp_path, write):
    """Write a CSV file and copy it; return the table in the copy."""

    def copy(name, content):
        file = write(name, content)
        path = copy_csv(file, FEATURES, tmp_path / f"{name}.parquet", group_rows=100)
        return pq.read_table(path)

    return copy


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("1,x,true,Oslo,2024-01-01", "column 'n': 'x' is no number"),
        ("1,1_000,true,Oslo,2024-01-01", "column 'n': '1_000' is no number"),
        ("1,1,perhaps,Oslo,2024-01-01", "column 'flag': 'perhaps' is no boolean"),
        ("1,1,true,Oslo,soon", "column 'at': 'soon' is no date"),
        (
            "1,x,y,Oslo,z",
            (
                "column 'n': 'x' is no number; column 'flag': 'y' is no boolean; "
                "column 'at': 'z' is no date"
            ),
        ),
        ("1,1e400,true,007,2024-01-01", None),
        ("1,inf,0,NA,NA", None),
        ("1,,,,", None),
    ],
)
def test_a_row_with_a_value_of_another_type_says_so_and_others_stay(copied, row, problem):
    without = copied("good.csv", f"{HEADER}{GOOD}{GOOD}")
    table = copied("mixed.csv", f"{HEADER}{GOOD}{row}\n{GOOD}")
    others = table.take([0, 2])

    assert table[PROBLEM].to_pylist() == [None, problem, None]
    assert others.equals(without)
    assert table.schema == without.schema


@pytest.mark.parametrize(
    "number",
    ["1", " 1.5 ", "-0", "1e-320", "9007199254740993", "nan", "NaN", "NA", "null", "#N/A", ""],
)
def test_a_number_is_the_same_whether_or_not_another_row_is_bad(copied, number):
    """A bad row makes the whole file be converted in another way, which must not be seen."""
    good = f"{HEADER}0,{number},true,x,2024-01-01\n"
    bad = f"{good}1,many,true,x,2024-01-01\n"
    fast = copied("fast.csv", good)["n"]
    slow = copied("slow.csv", bad)["n"].slice(0, 1)

    assert str(fast[0]) == str(slow[0])
    # NaN is equal to no number, not even to itself.
    assert fast.equals(slow) or number in {"nan", "NaN"}


def test_a_ragged_row_is_refused_with_its_line_and_byte(copied, tmp_path):
    words = r"bad\.csv: the row that begins in line 3, byte 46: .*Expected 5 columns"
    with pytest.raises(RequestError, match=words):
        copied("bad.csv", f"{HEADER}{GOOD}1,2\n")

    assert list(tmp_path.glob("*.parquet")) == []


def test_text_that_is_not_utf8_is_refused_with_its_line_and_byte(copied):
    content = f"{HEADER}{GOOD}1,1,true,café,2024-01-01\n"
    words = r"bad\.csv: line 3, byte 58 is not UTF-8: convert the file first"
    with pytest.raises(RequestError, match=words):
        copied("bad.csv", content.encode("latin-1"))


def test_a_finished_copy_is_taken_as_it_is(tmp_path, write):
    file = write("good.csv", HEADER + GOOD)
    path = tmp_path / "copy.parquet"
    copy_csv(file, FEATURES, path, 100)
    first = path.stat().st_mtime_ns
    copy_csv(file, FEATURES, path, 100)

    assert path.stat().st_mtime_ns == first


def test_many_bad_values_are_found_each_by_its_row():
    bad_rows = range(0, 1000, 7)
    strings = [str(number) for number in range(1000)]
    expected = list(range(1000))
    for row in bad_rows:
        strings[row] = "x"
        expected[row] = None

    found = convert(pa.record_batch({"n": strings}), FEATURES[:1])
    problems = found[PROBLEM].to_pylist()

    assert [row for row, problem in enumerate(problems) if problem] == list(bad_rows)
    assert found["n"].to_pylist() == expected


def test_dates_with_and_without_a_zone_in_one_file_are_each_what_they_say(copied):
    rows = [
        "1,1,1,x,2024-01-01T00:00:00",
        "2,1,1,x,2024-01-01T00:00:00Z",
        "3,1,1,x,soon",
        "4,1,1,x,2024-01-01T02:00+02:00",
    ]
    table = copied("dates.csv", HEADER + "\n".join(rows))
    dates = [str(at) for at in table["at"].to_pylist()]
    midnight = "2024-01-01 00:00:00"

    assert dates == [midnight, midnight, "None", midnight]
    assert table[PROBLEM].to_pylist() == [None, None, "column 'at': 'soon' is no date", None]


@pytest.mark.parametrize(("zoned", "bad"), [(True, [0, 2]), (False, [1, 3]), (None, [])])
def test_dates_are_read_with_a_time_zone_or_without_one_as_the_model_knows_them(zoned, bad):
    dates = ["2024-05-06 07:00", "2024-05-06 07:00Z", "2024-05-06", "2024-05-06T07:00+02:00", ""]
    copied = convert(pa.record_batch({"at": dates}), [Column("at", "date", zoned)])
    problems = copied[PROBLEM].to_pylist()
    assert [row for row in range(5) if problems[row]] == bad
    assert [row for row in range(5) if copied["at"][row].as_py() is None] == [*bad, 4]
    if bad:
        known = "with" if zoned else "without"
        value = dates[bad[0]]
        assert problems[bad[0]] == f"column 'at': {value!r} is no date {known} a time zone"
