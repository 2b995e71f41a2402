import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import RequestError
from tasks.core.tables.carried import carried_type, carry
from tasks.core.tables.listing import check_same_types, list_source
from tasks.core.tables.pieces import Piece, RowRange
from tasks.core.tables.reader import read_piece

BIG = 2**53 + 1
TEXT = pa.array(["a", "007"])
ONE_KIND = [
    [TEXT, TEXT.cast(pa.large_string()), TEXT.dictionary_encode()],
    [pa.array([1, 2], pa.int32()), pa.array([BIG, 2], pa.int64()), pa.array([1, 2], pa.uint8())],
    [pa.array([1, 2], pa.float32()), pa.array([1.5, None], pa.float64())],
    [pa.array([1, 2], pa.timestamp("s")), pa.array([1, 2], pa.timestamp("us"))],
]
OTHER_KINDS = [
    (TEXT, pa.array([1, 2])),
    (pa.array([1, 2]), pa.array([1.0, 2.0])),
    (pa.array([1, 2], pa.int64()), pa.array([1, 2], pa.uint64())),
    (pa.array([1, 2], pa.timestamp("us")), pa.array([1, 2], pa.timestamp("ns"))),
    (pa.array([1, 2], pa.timestamp("us")), pa.array([1, 2], pa.timestamp("us", "UTC"))),
]


@pytest.fixture
def write_files(tmp_path):
    """Write one file for each array, with a column of that name."""

    def write(arrays):
        for number, array in enumerate(arrays):
            pq.write_table(pa.table({"id": array}), tmp_path / f"{number}.parquet")
        return list_source(str(tmp_path))

    return write


@pytest.mark.parametrize("arrays", ONE_KIND, ids=[str(arrays[0].type) for arrays in ONE_KIND])
def test_the_physical_types_of_one_kind_are_one(write_files, arrays):
    assert check_same_types(write_files(arrays), ["id"]) is None
    carried = [carry(pa.chunked_array([array])) for array in arrays]
    assert len({column.type for column in carried}) == 1
    assert [column.to_pylist() for column in carried] == [array.to_pylist() for array in arrays]


@pytest.mark.parametrize("arrays", ONE_KIND, ids=[str(arrays[0].type) for arrays in ONE_KIND])
def test_a_piece_of_several_files_holds_every_value_as_it_was(write_files, arrays):
    files = write_files(arrays).files
    slices = [
        RowRange(file.path, file.path, file.revision, n, 0, 2) for n, file in enumerate(files)
    ]
    table = read_piece(Piece(0, tuple(slices), 0), ["id"])
    assert table["id"].to_pylist() == [value for array in arrays for value in array.to_pylist()]


@pytest.mark.parametrize("arrays", OTHER_KINDS, ids=[str(other.type) for _, other in OTHER_KINDS])
def test_other_kinds_are_refused_with_both_types(write_files, arrays):
    source = write_files(arrays)
    words = f"column 'id' is {arrays[1].type}, in .*0.parquet it is {arrays[0].type}"
    with pytest.raises(RequestError, match=words.replace("[", r"\[").replace("]", r"\]")):
        check_same_types(source, ["id"])


@pytest.mark.parametrize("type_", [pa.date32(), pa.bool_(), pa.uint64(), pa.list_(pa.int8())])
def test_other_types_stay_as_they_are(type_):
    assert carried_type(type_) == type_


def test_a_column_of_the_right_type_is_not_copied():
    column = pa.chunked_array([np.arange(3)])
    assert carry(column) is column
