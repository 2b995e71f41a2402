import os
import random
from contextlib import closing
from itertools import accumulate, pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import AfterfitError, SourceChangedError
from tasks.core.tables.open_files import open_file
from tasks.core.tables.pieces import Piece, RowRange, TableGroups, plan_pieces
from tasks.core.tables.reader import Reader, read_piece


def make_table(rows):
    chance = random.Random(3)  # noqa: S311 - test data
    return pa.table(
        {
            "id": [chance.getrandbits(40) for _ in range(rows)],
            "text": [chance.choice(["a", "é", None]) for _ in range(rows)],
            "a.b": [chance.random() for _ in range(rows)],
            "a": [chance.random() < 0.5 for _ in range(rows)],
        }
    )


LAYOUTS = {
    "one huge group": [5000],
    "tiny groups": [7] * 300,
    "groups of one row": [1] * 50,
    "huge between tiny": [3, 5, 2000, 4, 900, 1],
    "just below twice": [199, 199, 199],
    "even": [100] * 10,
}


def write_groups(table, path, groups):
    edges = accumulate(groups, initial=0)
    with pq.ParquetWriter(path, table.schema) as writer:
        for start, end in pairwise(edges):
            writer.write_table(table.slice(start, end - start))


def revision_of(path):
    with closing(open_file(path)) as opened:
        return opened.state().revision


def group_rows(path):
    metadata = pq.read_metadata(path)
    return tuple(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))


@pytest.fixture(params=LAYOUTS.values(), ids=LAYOUTS.keys())
def written(request, tmp_path):
    """A table, and the two files it was written to with row groups of some layout."""
    groups = request.param
    rows = sum(groups)
    table = make_table(2 * rows)
    files = []
    for number in range(2):
        path = str(tmp_path / f"{number}.parquet")
        part = table.slice(number * rows, rows)
        write_groups(part, path, groups)
        files.append(TableGroups(path, path, revision_of(path), number, group_rows(path)))
    return table, files


@pytest.mark.parametrize("at_least", [100, 1_000_000])
def test_pieces_hold_just_their_rows_read_one_by_one_or_in_one_pass(written, at_least):
    table, files = written
    columns = ["a", "id", "text"]
    selected = table.select(columns)
    reader = Reader(columns, batch_values=64 * 3)

    for piece in plan_pieces(files, at_least):
        expected = selected.slice(piece.first_row, piece.rows)
        alone = read_piece(piece, columns, batch_values=64 * 3)
        assert reader.read(piece).equals(expected)
        assert alone.equals(expected)

    reader.close()


def piece_of(path, start, rows, origin=""):
    item = RowRange(path, origin or path, revision_of(path), 0, start, rows)
    return Piece(0, (item,), 0)


def test_any_range_of_rows_is_read_as_it_stands_forwards_and_backwards(tmp_path):
    table = make_table(200)
    path = str(tmp_path / "in.parquet")
    pq.write_table(table, path, row_group_size=30)

    chance = random.Random(4)  # noqa: S311 - test data
    columns = ["id", "a.b"]
    selected = table.select(columns)
    reader = Reader(columns, batch_values=16)
    for _ in range(60):
        start = chance.randrange(200)
        rows = chance.randrange(1, 200 - start + 1)
        found = reader.read(piece_of(path, start, rows))
        assert found.equals(selected.slice(start, rows))


def test_columns_of_other_types_in_other_files_are_read_as_their_kind_is_stored(tmp_path):
    whole = pa.table({"n": pa.array([1], pa.int8()), "s": ["a"]})
    broken = pa.table({"n": [0.5], "s": pa.array(["b"], pa.large_string())})
    ranges = []
    for number, table in enumerate([whole, broken]):
        path = str(tmp_path / f"{number}.parquet")
        pq.write_table(table, path)
        ranges.append(RowRange(path, path, revision_of(path), number, 0, 1))

    found = read_piece(Piece(0, tuple(ranges), 0), ["s", "n"])

    assert found.to_pydict() == {"s": ["a", "b"], "n": [1.0, 0.5]}
    assert found.schema.types == [pa.string(), pa.float64()]


def test_a_file_that_lost_rows_since_it_was_planned_is_an_error(tmp_path):
    path = str(tmp_path / "in.parquet")
    pq.write_table(make_table(10), path)
    piece = piece_of(path, 5, 6)

    with pytest.raises(AfterfitError, match=r"rows 5 to 10: .*fewer rows than when it was planned"):
        read_piece(piece, ["id"])


def test_a_flipped_bit_under_a_page_checksum_is_an_error_not_another_value(tmp_path):
    path = tmp_path / "in.parquet"
    table = pa.table({"a": range(1000)})
    pq.write_table(table, path, write_page_checksum=True, compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)

    piece = piece_of(str(path), 0, 1000, origin="a.parquet")
    with pytest.raises(AfterfitError, match=r"a\.parquet, rows 0 to 999: .*CRC"):
        read_piece(piece, ["a"])


def write_there(path, replacement):
    """Write into the file itself, and put its times back."""
    before = path.stat()
    path.write_bytes(replacement.read_bytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


TOUCHES = {
    "replaced": lambda path, replacement: replacement.rename(path),
    "written to": write_there,
    "renamed and put back": lambda path, _: path.rename(f"{path}.away").rename(path),
    "linked to": lambda path, _: path.with_name("link").hardlink_to(path),
}


@pytest.mark.parametrize("moment", ["before it is opened", "while it is open"])
@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES)
def test_a_file_that_is_touched_after_the_plan_is_refused_whatever_is_put_back(
    tmp_path, settled, touch, moment
):
    path, replacement = tmp_path / "in.parquet", tmp_path / "other.parquet"
    table = make_table(100)
    for file in (path, replacement):
        pq.write_table(table, file, row_group_size=10)
    settled()
    first, second = (piece_of(str(path), start, 10) for start in (0, 10))

    reader = Reader(["id"])
    if moment == "while it is open":
        assert reader.read(first).equals(table.select(["id"]).slice(0, 10))
    touch(path, replacement)
    with pytest.raises(SourceChangedError, match=r"in\.parquet changed while it was being read"):
        reader.read(second)


def test_the_copy_of_a_file_is_not_held_against_the_revision_of_the_file(tmp_path):
    path = str(tmp_path / "copy.parquet")
    table = make_table(10)
    pq.write_table(table, path)
    item = RowRange(path, "/in/a.csv", "of the CSV file", 0, 0, 10)
    assert read_piece(Piece(0, (item,), 0), ["id"]).equals(table.select(["id"]))
