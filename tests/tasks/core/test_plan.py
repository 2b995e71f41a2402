import random
from datetime import datetime, timedelta
from itertools import pairwise

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tasks.core.columns import to_frame
from tasks.core.errors import RequestError
from tasks.core.pieces import read_piece
from tasks.core.plan import check_file, copy_csv, name_run, plan_bundles, rows_of
from tasks.core.sources import list_source

SCHEMA = pa.schema([
    ("id", pa.string()), ("n", pa.float64()), ("flag", pa.bool_()), ("city", pa.string()),
    ("at", pa.timestamp("us")), ("keep", pa.string()),
])  # fmt: skip
SECTIONS = {
    "data": {"source": "/in/t.csv", "target": "y", "id": "id", "drop": ["keep"]},
    "scoring": {"source": "/in/t.csv", "output": "/out", "keep": ["keep"]},
}


@pytest.fixture
def card(make_card):
    return make_card(SCHEMA, **SECTIONS)


@pytest.fixture
def table():
    chance = random.Random(9)  # noqa: S311 - test data
    start = datetime(2024, 1, 1)  # noqa: DTZ001 - dates are stored without a zone

    def some(value):
        return value if chance.random() > 0.2 else None

    rows = [
        {
            "id": f"{row:03}", "n": some(chance.random()), "flag": some(chance.random() < 0.5),
            "city": some(chance.choice(["NA", "Oslo", 'say "x", y', "two\nlines", "007"])),
            "at": some(start + timedelta(minutes=row)), "keep": some(str(2**53 + row)),
        }
        for row in range(200)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, SCHEMA)


def test_a_csv_file_and_a_parquet_file_of_one_table_are_scored_alike(tmp_path, write, card, table):
    parquet = write("t.parquet", table)
    pyarrow.csv.write_csv(table, tmp_path / "t.csv")
    copied = copy_csv(list_source(str(tmp_path / "t.csv"))[0], card, tmp_path / "copy.parquet")
    assert copy_csv(parquet, card, tmp_path / "unused.parquet") == parquet
    one, other = (pq.read_table(file.path) for file in (parquet, copied))
    assert to_frame(one, card.features).equals(to_frame(other, card.features))
    for carried in ("id", "keep"):
        assert one[carried].to_pylist() == other[carried].to_pylist()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1,x,true,Oslo,2024-01-01,k", "Row #3: .*conversion error to double: invalid value 'x'"),
        ("1,1,perhaps,Oslo,2024-01-01,k", "Row #3: .*conversion error to bool: invalid value 'perhaps'"),
        ("1,1,true,Oslo,soon,k", "column 'at' holds something that is no date: Failed to parse string: 'soon'"),
        ("1,1,true,Oslo,2024-01-01", "Row #3: Expected 6 columns, got 5"),
    ],
)
def test_a_csv_value_of_another_kind_is_refused_with_its_file_and_row(tmp_path, write, card, row, words):
    good = "id,n,flag,city,at,keep\n0,1.5,true,Oslo,2024-01-01,k\n"
    assert copy_csv(write("good.csv", good), card, tmp_path / "copy.parquet").format == "parquet"
    with pytest.raises(RequestError, match=rf"bad\.csv: .*{words}"):
        copy_csv(write("bad.csv", good + row + "\n"), card, tmp_path / "copy.parquet")


@pytest.mark.parametrize(
    "moment", ["2024-01-31T12:00:00Z", "2024-01-31 13:00:00+01:00", "2024-01-31T12:00:00.000000999"]
)
def test_a_csv_time_with_a_zone_or_nanoseconds_is_the_same_moment_to_the_microsecond(tmp_path, write, card, moment):
    text = f"id,n,flag,city,at,keep\n0,1.5,true,Oslo,{moment},k\n1,1.5,true,Oslo,NA,k\n"
    copied = copy_csv(write("times.csv", text), card, tmp_path / "copy.parquet")
    assert [str(at) for at in pq.read_table(copied.path)["at"].to_pylist()] == ["2024-01-31 12:00:00", "None"]


def test_the_bundles_of_a_run_hold_every_row_of_every_file_once_in_order(tmp_path, write, card, table, model):
    write("a.parquet", table)
    write("b.parquet", table.slice(0, 0))
    write("c.parquet", table.slice(0, 7), row_group_size=2)
    run = name_run(model, card, list_source(str(tmp_path)), tmp_path / "out")
    bundles = plan_bundles(run, card, tmp_path)
    pieces = [piece for bundle in bundles for piece in bundle.pieces]
    assert rows_of(pieces) == bundles[-1].last + 1 == 207
    assert [piece.first_row for piece in pieces] == [0, 200]
    assert all(one.first_row + one.rows == other.first_row for one, other in pairwise(pieces))
    read = pa.concat_tables(read_piece(piece, ["id"]) for piece in pieces)
    assert read["id"].to_pylist() == [*table["id"].to_pylist(), *table["id"].to_pylist()[:7]]


def test_a_piece_of_a_csv_file_names_that_file_and_not_its_copy(tmp_path, card, table, model):
    pyarrow.csv.write_csv(table, tmp_path / "t.csv")
    run = name_run(model, card, list_source(str(tmp_path / "t.csv")), tmp_path / "out")
    (bundle,) = plan_bundles(run, card, tmp_path)
    assert [piece.origin for piece in bundle.pieces] == [str(tmp_path / "t.csv")]
    assert bundle.pieces[0].file.path == str(tmp_path / "0.parquet")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", "id,n,flag,city,at,keep\n", "there are no rows to score"),
        ("t.csv", "id,n,flag,city,at,keep", r"t\.csv: "),
        ("t.csv", "id,n,flag,City,at,keep\n1,1,true,x,2024-01-01,k\n", "column 'city' is missing"),
        ("t.csv", "n,flag,city,at,keep\n1,true,x,2024-01-01,k\n", "column 'id' is missing"),
        ("t.csv", "id,n,flag,city,at\n1,1,true,x,2024-01-01\n", "column 'keep' is missing"),
        ("t.parquet", SCHEMA.empty_table(), "there are no rows to score"),
        ("t.parquet", SCHEMA.empty_table().drop_columns(["n"]), "column 'n' is missing"),
        ("t.parquet", SCHEMA.empty_table().set_column(1, "n", pa.array([], pa.string())), "column 'n' is string"),
        ("t.parquet", SCHEMA.empty_table().set_column(3, "city", pa.array([], pa.int64())), "column 'city' is int64"),
    ],
)
def test_a_source_that_the_model_cannot_score_is_refused_before_anything_is_scored(
    tmp_path, write, card, model, name, content, words
):
    write(name, content)
    run = name_run(model, card, list_source(str(tmp_path / name)), tmp_path / "out")
    with pytest.raises(RequestError, match=words) as refused:
        plan_bundles(run, card, tmp_path)
    assert str(tmp_path / name) in str(refused.value)


def test_one_file_without_a_column_among_good_ones_is_found_before_the_first_row_is_read(tmp_path, write, card, table):
    for number in range(5):
        write(f"{number}.parquet", table if number != 3 else table.drop_columns(["flag"]))
    files = list_source(str(tmp_path))
    for number in (0, 1, 2, 4):
        assert "id" in check_file(files[number], card, ["id"]).names
    with pytest.raises(RequestError, match=r"3\.parquet: column 'flag' is missing"):
        check_file(files[3], card, ["id"])


@pytest.mark.parametrize("output", ["", "..", "../.."])
def test_scores_never_go_where_their_source_is(tmp_path, write, card, model, output):
    write("sub/in/t.parquet", SCHEMA.empty_table())
    source = tmp_path / "sub" / "in"
    (tmp_path / "link").symlink_to(source)
    for path in (source, tmp_path / "link"):
        with pytest.raises(RequestError, match="holds the source itself"):
            name_run(model, card, list_source(str(path)), (source / output).resolve())
    assert name_run(model, card, list_source(str(source)), source / "scores").output == str(source / "scores")


def test_the_key_of_a_run_depends_on_the_model_the_source_and_what_is_carried_not_on_the_output(
    tmp_path, write, make_card, model
):
    files = (write("t.parquet", SCHEMA.empty_table()),)
    other_files = (write("u.parquet", SCHEMA.empty_table()),)

    def key(files=files, digest=model.digest, output="out", **scoring):
        sections = {**SECTIONS, "scoring": {**SECTIONS["scoring"], **scoring}}
        version = type(model)(model.name, model.version, digest, passed=True, promoted=True)
        return name_run(version, make_card(SCHEMA, **sections), files, tmp_path / output).key

    assert key() == key(output="elsewhere") == key(on_existing="refuse")
    assert len({key(), key(digest="e" * 64), key(files=other_files), key(keep=[])}) == 4
