import random
from itertools import accumulate, pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.errors import AfterfitError
from tasks.core.pieces import Piece, Reader, Slice, TableGroups, bundle_pieces, plan_pieces, read_piece


def as_tables(files):
    return [TableGroups(f"f{n}", f"f{n}", n, tuple(groups)) for n, groups in enumerate(files)]


file_groups = st.lists(st.lists(st.integers(0, 400), max_size=8), max_size=12)


@given(file_groups, st.integers(1, 100))
def test_pieces_cover_every_row_once_in_order_and_none_is_huge(files, at_least):
    """A piece is less than three times what it holds at least, and only the last may be smaller."""
    pieces = plan_pieces(as_tables(files), at_least)
    rows = [
        (item.input, row)
        for piece in pieces
        for item in piece.slices
        for row in range(item.start, item.start + item.rows)
    ]
    assert rows == [(number, row) for number, groups in enumerate(files) for row in range(sum(groups))]
    assert all(piece.rows < 3 * at_least for piece in pieces)
    assert all(piece.rows >= at_least for piece in pieces[:-1])
    assert [piece.number for piece in pieces] == list(range(len(pieces)))
    assert [piece.first_row for piece in pieces] == [0, *accumulate(piece.rows for piece in pieces)][: len(pieces)]


@given(file_groups, st.integers(1, 100))
def test_a_row_group_is_cut_only_where_it_is_huge(files, at_least):
    for piece in plan_pieces(as_tables(files), at_least):
        for item in piece.slices:
            groups = files[item.input]
            ends = {sum(groups[:n]) for n in range(len(groups) + 1)}
            huge = [(sum(groups[:n]), sum(groups[: n + 1])) for n, rows in enumerate(groups) if rows >= 2 * at_least]
            for edge in (item.start, item.start + item.rows):
                assert edge in ends or any(low < edge < high for low, high in huge)


def test_ten_thousand_tiny_files_are_a_few_pieces():
    pieces = plan_pieces(as_tables([[7]] * 10_000), 1 << 14)
    assert [len(piece.slices) for piece in pieces] == [2341] * 4 + [636]


def make_pieces(count):
    return [Piece(number, (Slice("a", "a", 0, number * 10, 10),), number * 10) for number in range(count)]


@given(st.integers(0, 3000), st.integers(1, 8))
def test_bundles_hold_every_piece_once_in_order_evenly_and_are_at_most_two_hundred(count, lanes):
    pieces = make_pieces(count)
    bundles = bundle_pieces(pieces, lanes)
    assert [piece for bundle in bundles for piece in bundle.pieces] == pieces
    assert min(2 * lanes, count) <= len(bundles) <= 200
    sizes = [len(bundle.pieces) for bundle in bundles]
    assert not sizes or max(sizes) - min(sizes) <= 1
    for bundle in bundles:
        assert (bundle.start, bundle.last) == (bundle.pieces[0].first_row, bundle.pieces[-1].first_row + 9)
        assert bundle.rows == 10 * len(bundle.pieces)


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
    monkeypatch.setattr("tasks.core.pieces.BATCH_VALUES", 64 * 3)
    table, tables = written
    columns = ["a", "id", "text"]
    reader = Reader(columns)
    for piece in plan_pieces(tables, at_least):
        expected = table.select(columns).slice(piece.first_row, piece.rows)
        assert reader.read(piece).equals(expected)
        assert read_piece(piece, columns).equals(expected)
    reader.close()


def test_any_range_of_rows_is_read_as_it_stands_forwards_and_backwards(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.core.pieces.BATCH_VALUES", 16)
    table = make_table(200)
    path = str(tmp_path / "in.parquet")
    pq.write_table(table, path, row_group_size=30)
    chance = random.Random(4)  # noqa: S311 - test data
    reader = Reader(["id", "a.b"])
    for _ in range(60):
        start = chance.randrange(200)
        rows = chance.randrange(1, 200 - start + 1)
        piece = Piece(0, (Slice(path, path, 0, start, rows),), 0)
        assert reader.read(piece).equals(table.select(["id", "a.b"]).slice(start, rows))


def test_a_file_that_lost_rows_since_it_was_planned_is_an_error(tmp_path):
    path = str(tmp_path / "in.parquet")
    pq.write_table(make_table(10), path)
    with pytest.raises(AfterfitError, match=r"rows 5 to 10: .*fewer rows than when it was planned"):
        read_piece(Piece(0, (Slice(path, path, 0, 5, 6),), 0), ["id"])


def test_a_flipped_bit_under_a_page_checksum_is_an_error_not_another_value(tmp_path):
    table = pa.table({"a": pa.array(range(1000))})
    path = tmp_path / "in.parquet"
    pq.write_table(table, path, write_page_checksum=True, compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    with pytest.raises(AfterfitError, match=r"a\.parquet, rows 0 to 999: .*CRC"):
        read_piece(Piece(0, (Slice(str(path), "a.parquet", 0, 0, 1000),), 0), ["a"])
