import random
from itertools import accumulate, pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.errors import RequestError
from tasks.core.pieces import Piece, bundle_pieces, cut, plan_pieces, read_piece
from tasks.core.sources import SourceFile, list_source


@given(st.lists(st.integers(0, 400), max_size=40), st.integers(1, 100))
def test_pieces_cover_every_row_once_in_order_and_none_is_huge(groups, at_least):
    """A piece is less than three times what it holds at least, and only the end of a run of groups may be less."""
    pieces = list(cut(groups, at_least))
    ends = list(accumulate(rows for _, rows in pieces))
    assert [start for start, _ in pieces] == [0, *ends][: len(pieces)]
    assert (ends or [0])[-1] == sum(groups)
    assert all(0 < rows < 3 * at_least for _, rows in pieces)


@given(st.lists(st.integers(1, 400), max_size=40), st.integers(1, 100))
def test_no_row_group_is_decoded_for_two_pieces_unless_it_is_huge(groups, at_least):
    ends = {sum(groups[:n]) for n in range(len(groups) + 1)}
    huge = [(sum(groups[:n]), sum(groups[: n + 1])) for n, rows in enumerate(groups) if rows >= 2 * at_least]
    for start, _ in cut(groups, at_least):
        assert start in ends or any(low < start < high for low, high in huge)


def make_pieces(count):
    file = SourceFile("/in/a.parquet", "parquet", 1, "1", "0")
    return [Piece(number, file, file.path, number * 10, 10, number * 10) for number in range(count)]


@given(st.integers(0, 300), st.integers(1, 70))
def test_bundles_hold_every_piece_once_in_order_evenly_and_are_at_most_as_many(count, most):
    pieces = make_pieces(count)
    bundles = bundle_pieces(pieces, most)
    assert [piece for bundle in bundles for piece in bundle.pieces] == pieces
    assert [bundle.number for bundle in bundles] == list(range(min(most, count)))
    sizes = [len(bundle.pieces) for bundle in bundles]
    assert not sizes or max(sizes) - min(sizes) <= 1
    for bundle in bundles:
        assert (bundle.start, bundle.last) == (bundle.pieces[0].first_row, bundle.pieces[-1].first_row + 9)
    assert not bundles or bundles[-1].last + 1 == count * 10


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


@pytest.mark.parametrize("groups", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_piece_holds_just_its_rows_of_the_whole_table(tmp_path, monkeypatch, groups):
    monkeypatch.setattr("tasks.core.pieces.BATCH_ROWS", 64)
    table = make_table(sum(groups))
    path = tmp_path / "in.parquet"
    with pq.ParquetWriter(path, table.schema) as writer:
        for start, end in pairwise([sum(groups[:n]) for n in range(len(groups) + 1)]):
            writer.write_table(table.slice(start, end - start))
    file = list_source(str(path))[0]
    columns = ["a", "id", "text"]
    for number, (start, rows) in enumerate(cut(groups, 100)):
        piece = Piece(number, file, file.path, start, rows, start)
        assert read_piece(piece, columns).equals(table.select(columns).slice(start, rows))


def test_any_range_of_rows_is_read_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.core.pieces.BATCH_ROWS", 16)
    table = make_table(200)
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=30)
    file = list_source(str(tmp_path / "in.parquet"))[0]
    chance = random.Random(4)  # noqa: S311 - test data
    for _ in range(60):
        start = chance.randrange(200)
        rows = chance.randrange(1, 200 - start + 1)
        assert read_piece(Piece(0, file, "", start, rows, 0), ["id", "a.b"]).equals(
            table.select(["id", "a.b"]).slice(start, rows)
        )


def test_pieces_of_several_files_are_numbered_through_and_know_their_first_row(tmp_path, write):
    for name, rows in {"a": 3, "b": 0, "c": 2}.items():
        write(f"{name}.parquet", make_table(rows))
    files = list_source(str(tmp_path))
    pieces = plan_pieces(files, [file.path for file in files])
    assert [(piece.number, piece.origin[-9:], piece.start, piece.rows, piece.first_row) for piece in pieces] == [
        (0, "a.parquet", 0, 3, 0),
        (1, "c.parquet", 0, 2, 3),
    ]


def test_a_file_with_a_broken_footer_is_refused_by_name(tmp_path, write):
    file = write("in.parquet", make_table(10))
    content = bytearray((tmp_path / "in.parquet").read_bytes())
    content[-40:-8] = b"\xff" * 32
    (tmp_path / "in.parquet").write_bytes(content)
    with pytest.raises(RequestError, match=r"in\.parquet cannot be read as Parquet"):
        plan_pieces([file], [file.path])


def test_a_flipped_bit_under_a_page_checksum_is_an_error_not_another_value(tmp_path):
    table = pa.table({"a": pa.array(range(1000))})
    path = tmp_path / "in.parquet"
    pq.write_table(table, path, write_page_checksum=True, compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    file = list_source(str(path))[0]
    with pytest.raises(OSError, match="CRC"):
        read_piece(Piece(0, file, file.path, 0, 1000, 0), ["a"])
