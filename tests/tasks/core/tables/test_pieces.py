import math
from bisect import bisect
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from tasks.core.tables.pieces import (
    Bundle,
    Piece,
    RowRange,
    TableGroups,
    bundle_pieces,
    plan_pieces,
)


def as_tables(files):
    """Return tables with the given sizes of row groups, a list for each."""
    tables = []
    for number, groups in enumerate(files):
        name = f"f{number}"
        tables.append(TableGroups(name, name, "", number, tuple(groups)))
    return tables


def rows_of(piece):
    """Return the rows of a piece: for each the number of its file, and its position there."""
    rows = []
    for item in piece.slices:
        end = item.start + item.rows
        rows.extend((item.input, position) for position in range(item.start, end))
    return rows


def all_rows(files):
    """Return the rows of all files in the same way."""
    rows = []
    for number, groups in enumerate(files):
        rows.extend((number, position) for position in range(sum(groups)))
    return rows


file_groups = st.lists(st.lists(st.integers(0, 400), max_size=8), max_size=12)


@given(file_groups, st.integers(1, 100))
def test_pieces_cover_every_row_once_in_order(files, at_least):
    pieces = plan_pieces(as_tables(files), at_least)

    planned = []
    for number, piece in enumerate(pieces):
        assert piece.number == number
        assert piece.first_row == len(planned)
        planned.extend(rows_of(piece))

    assert planned == all_rows(files)


@given(file_groups, st.integers(1, 100))
def test_a_piece_is_never_huge_and_only_the_last_may_be_small(files, at_least):
    """A piece has less than three times the rows that it has at least."""
    pieces = plan_pieces(as_tables(files), at_least)
    sizes = [piece.rows for piece in pieces]

    assert all(size < 3 * at_least for size in sizes)
    assert all(size >= at_least for size in sizes[:-1])


@given(file_groups, st.integers(1, 100))
def test_every_row_of_a_piece_is_located_in_its_file(files, at_least):
    for piece in plan_pieces(as_tables(files), at_least):
        for row, (number, position) in enumerate(rows_of(piece)):
            assert piece.locate(row) == (f"f{number}", position)


def may_be_cut_at(row, groups, at_least):
    """Return whether a row is an edge of a row group, or inside of a huge one."""
    starts = [0, *accumulate(groups)]
    if row in starts:
        return True

    group = bisect(starts, row) - 1
    return groups[group] >= 2 * at_least


@given(file_groups, st.integers(1, 100))
def test_a_row_group_is_cut_only_where_it_is_huge(files, at_least):
    for piece in plan_pieces(as_tables(files), at_least):
        for item in piece.slices:
            groups = files[item.input]
            assert may_be_cut_at(item.start, groups, at_least)
            assert may_be_cut_at(item.start + item.rows, groups, at_least)


def test_ten_thousand_tiny_files_are_a_few_pieces():
    files = [[7]] * 10_000
    pieces = plan_pieces(as_tables(files), 1 << 14)
    files_each = [len(piece.slices) for piece in pieces]

    assert files_each == [2341] * 4 + [636]


def make_pieces(count):
    """Return pieces of ten rows of one file."""
    pieces = []
    for number in range(count):
        start = 10 * number
        item = RowRange("a", "a", "", 0, start, 10)
        pieces.append(Piece(number, (item,), start))
    return pieces


counts = st.integers(0, 3000)
parallelisms = st.integers(1, 8)


@given(counts, parallelisms)
def test_bundles_hold_every_piece_once_in_order_and_know_their_rows(count, parallelism):
    pieces = make_pieces(count)

    bundled = []
    for bundle in bundle_pieces(pieces, parallelism):
        first, last = bundle.pieces[0], bundle.pieces[-1]
        assert bundle.start == first.first_row
        assert bundle.last == last.first_row + 9
        assert bundle.rows == 10 * len(bundle.pieces)
        bundled.extend(bundle.pieces)

    assert bundled == pieces


@given(counts, parallelisms)
def test_bundles_are_large_ones_first_and_at_most_two_hundred(count, parallelism):
    bundles = bundle_pieces(make_pieces(count), parallelism)
    sizes = [len(bundle.pieces) for bundle in bundles]
    share = count / (2 * parallelism)
    needed = math.ceil(count / 200)  # or there would be more bundles

    assert min(2 * parallelism, count) <= len(bundles) <= 200
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes, default=0) <= max(min(share, 16), needed, 1)
    assert min(sizes, default=0) <= max(2, needed)


@given(st.integers(2, 300))
def test_the_halves_of_a_bundle_hold_its_pieces(count):
    pieces = tuple(make_pieces(count))
    first, second = Bundle(0, pieces).halves()

    assert first.pieces + second.pieces == pieces
    assert len(second.pieces) - len(first.pieces) in {0, 1}
