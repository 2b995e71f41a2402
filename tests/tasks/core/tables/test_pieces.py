import math
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from tasks.core.tables.pieces import Piece, RowRange, TableGroups, bundle_pieces, plan_pieces


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
    assert rows == [
        (number, row) for number, groups in enumerate(files) for row in range(sum(groups))
    ]
    assert all(piece.rows < 3 * at_least for piece in pieces)
    assert all(piece.rows >= at_least for piece in pieces[:-1])
    assert [piece.number for piece in pieces] == list(range(len(pieces)))
    assert [piece.first_row for piece in pieces] == [
        0,
        *accumulate(piece.rows for piece in pieces),
    ][: len(pieces)]


@given(file_groups, st.integers(1, 100))
def test_a_row_group_is_cut_only_where_it_is_huge(files, at_least):
    for piece in plan_pieces(as_tables(files), at_least):
        for item in piece.slices:
            groups = files[item.input]
            ends = {sum(groups[:n]) for n in range(len(groups) + 1)}
            huge = [
                (sum(groups[:n]), sum(groups[: n + 1]))
                for n, rows in enumerate(groups)
                if rows >= 2 * at_least
            ]
            for edge in (item.start, item.start + item.rows):
                assert edge in ends or any(low < edge < high for low, high in huge)


def test_ten_thousand_tiny_files_are_a_few_pieces():
    pieces = plan_pieces(as_tables([[7]] * 10_000), 1 << 14)
    assert [len(piece.slices) for piece in pieces] == [2341] * 4 + [636]


def make_pieces(count):
    return [
        Piece(number, (RowRange("a", "a", 0, number * 10, 10),), number * 10)
        for number in range(count)
    ]


@given(st.integers(0, 3000), st.integers(1, 8))
def test_bundles_hold_every_piece_once_in_order_large_ones_first_and_are_at_most_two_hundred(
    count, parallelism
):
    pieces = make_pieces(count)
    bundles = bundle_pieces(pieces, parallelism)
    assert [piece for bundle in bundles for piece in bundle.pieces] == pieces
    assert min(2 * parallelism, count) <= len(bundles) <= 200
    sizes = [len(bundle.pieces) for bundle in bundles]
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes, default=0) <= max(
        min(count / (2 * parallelism), 16), math.ceil(count / 200), 1
    )
    assert min(sizes, default=0) <= max(2, math.ceil(count / 200))
    for bundle in bundles:
        assert (bundle.start, bundle.last) == (
            bundle.pieces[0].first_row,
            bundle.pieces[-1].first_row + 9,
        )
        assert bundle.rows == 10 * len(bundle.pieces)
