import random
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import AfterfitError
from tasks.core.tables.pieces import Piece, RowRange, TableGroups, plan_pieces
from tasks.core.tables.reader import Reader, read_piece


def make_table(rows):
    chance = random.Random(3)  # noqa: S311 - test data
    return pa.table({
        "id": pa.array([chance.getrandbits(40) for _ in range(rows)]),
        "text": pa.array([chance.choice(["a", "é", None]) for _ in range(rows)]),
        "a.b": pa.array([chance.random() for _ in range(rows)]),
        "a": pa.array([chance.random() < 0.5 for _ in range(rows)]),
    })  # fmt: skip


LAYOUTS = {
    "one huge group": [5000],
    "tiny groups": [7] * 300,
    "groups of one row": [1] * 50,
    "huge between tiny": [3, 5, 2000, 4, 900, 1],
    "just below twice": [199, 199, 199],
    "even": [100] * 10,
}


def group_rows(path):
    metadata = pq.read_metadata(path)
    return tuple(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))


@pytest.fixture(params=LAYOUTS.values(), ids=LAYOUTS.keys())
def written(request, tmp_path):
    """A table, and the two files it was written to with row groups of some layout."""
    groups = request.param
    table = make_table(2 * sum(groups))
    tables = []
    for number in range(2):
        path = tmp_path / f"{number}.parquet"
        first = number * sum(groups)
        with pq.ParquetWriter(path, table.schema) as writer:
            for start, end in pairwise([first + sum(groups[:n]) for n in range(len(groups) + 1)]):
                writer.write_table(table.slice(start, end - start))
        tables.append(TableGroups(str(path), str(path), number, group_rows(path)))
    return table, tables


@pytest.mark.parametrize("at_least", [100, 1_000_000])
def test_pieces_hold_just_their_rows_read_one_by_one_or_in_one_pass(written, monkeypatch, at_least):
    monkeypatch.setattr("tasks.core.tables.reader.BATCH_VALUES", 64 * 3)
    table, tables = written
    columns = ["a", "id", "text"]
    reader = Reader(columns)
    for piece in plan_pieces(tables, at_least):
        expected = table.select(columns).slice(piece.first_row, piece.rows)
        assert reader.read(piece).equals(expected)
        assert read_piece(piece, columns).equals(expected)
    reader.close()


def test_any_range_of_rows_is_read_as_it_stands_forwards_and_backwards(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.core.tables.reader.BATCH_VALUES", 16)
    table = make_table(200)
    path = str(tmp_path / "in.parquet")
    pq.write_table(table, path, row_group_size=30)
    chance = random.Random(4)  # noqa: S311 - test data
    reader = Reader(["id", "a.b"])
    for _ in range(60):
        start = chance.randrange(200)
        rows = chance.randrange(1, 200 - start + 1)
        piece = Piece(0, (RowRange(path, path, 0, start, rows),), 0)
        assert reader.read(piece).equals(table.select(["id", "a.b"]).slice(start, rows))


def test_a_file_that_lost_rows_since_it_was_planned_is_an_error(tmp_path):
    path = str(tmp_path / "in.parquet")
    pq.write_table(make_table(10), path)
    with pytest.raises(AfterfitError, match=r"rows 5 to 10: .*fewer rows than when it was planned"):
        read_piece(Piece(0, (RowRange(path, path, 0, 5, 6),), 0), ["id"])


def test_a_flipped_bit_under_a_page_checksum_is_an_error_not_another_value(tmp_path):
    table = pa.table({"a": pa.array(range(1000))})
    path = tmp_path / "in.parquet"
    pq.write_table(table, path, write_page_checksum=True, compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    with pytest.raises(AfterfitError, match=r"a\.parquet, rows 0 to 999: .*CRC"):
        read_piece(Piece(0, (RowRange(str(path), "a.parquet", 0, 0, 1000),), 0), ["a"])
