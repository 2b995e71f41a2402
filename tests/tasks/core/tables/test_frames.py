from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tasks.core.tables.columns import Column
from tasks.core.tables.frames import stored, to_frame

# Without a zone, as timestamps are stored.
TIMESTAMP = datetime.fromisoformat("2024-05-06T07:08:09.123456")
MIDNIGHT = datetime.fromisoformat("2024-05-06")
ONE_SECOND = datetime.fromisoformat("1970-01-01T00:00:01")
BILLION_NS = 1_000_000_001


@pytest.mark.parametrize(
    ("array", "values", "type_"),
    [
        (pa.array([1, None], pa.int8()), [1.0, None], pa.float64()),
        (pa.array([2**53 + 1]), [2.0**53], pa.float64()),
        (pa.array([2**64 - 1], pa.uint64()), [2.0**64], pa.float64()),
        (pa.array([1, None], pa.decimal128(10, 2)), [1.0, None], pa.float64()),
        (pa.array([1, None]).dictionary_encode(), [1.0, None], pa.float64()),
        (pa.array(["a", None]).dictionary_encode(), ["a", None], pa.string()),
        (pa.array(["a", None], pa.large_string()), ["a", None], pa.string()),
        (pa.array([True, None]), [True, None], pa.bool_()),
        (pa.array([date(2024, 5, 6)]), [MIDNIGHT], pa.timestamp("us")),
        (
            pa.array([TIMESTAMP], pa.timestamp("us", "Asia/Kathmandu")),
            [TIMESTAMP],
            pa.timestamp("us"),
        ),
        (pa.array([TIMESTAMP.replace(tzinfo=UTC)]), [TIMESTAMP], pa.timestamp("us")),
        (pa.array([BILLION_NS], pa.timestamp("ns")), [ONE_SECOND], pa.timestamp("us")),
        (pa.array([BILLION_NS], pa.timestamp("ns", "UTC")), [ONE_SECOND], pa.timestamp("us")),
        (pa.array([b"\xff"]), [b"\xff"], pa.binary()),
    ],
)
def test_each_kind_is_stored_as_one_type(array, values, type_):
    """A time with a zone is stored in UTC; what is finer than a microsecond is cut off."""
    column = pa.chunked_array([array])
    found = stored(column)

    assert found.to_pylist() == values
    assert found.type == type_


KINDS = {"n": "numeric", "b": "boolean", "c": "categorical", "d": "date"}
FEATURES = [Column(name, kind) for name, kind in KINDS.items()]
FULL = pa.table(
    {
        "n": [1, 2],
        "b": [True, False],
        "c": ["x", "y"],
        "d": [TIMESTAMP, TIMESTAMP],
    }
)


@pytest.mark.parametrize(
    "table",
    [
        FULL,
        pa.table({name: pa.nulls(2) for name in KINDS}),
        FULL.slice(0, 0),
        pa.concat_tables([FULL.slice(0, 1), FULL.slice(1)]),
    ],
    ids=["full", "all missing", "no rows", "two chunks"],
)
def test_a_frame_has_one_dtype_for_each_kind_whatever_a_piece_holds(table):
    frame = to_frame(table, FEATURES)
    dtypes = [str(dtype) for dtype in frame.dtypes]

    assert dtypes == ["float64", "float64", "object", "datetime64[us]"]


def test_missing_is_nan_in_numbers_booleans_and_strings_and_nat_in_dates():
    given_row = {"n": 1.0, "b": True, "c": "x", "d": TIMESTAMP}
    table = pa.Table.from_pylist([dict.fromkeys(KINDS), given_row])
    frame = to_frame(table, FEATURES)
    missing, given = frame.to_dict("records")

    assert np.isnan(missing["n"])
    assert np.isnan(missing["b"])
    assert np.isnan(missing["c"])
    assert missing["d"] is pd.NaT
    assert given == given_row


CHUNKS = [[1, None, 3], [4, 5, 6]]
NUMBERS = pa.table(
    {
        "n": pa.chunked_array(CHUNKS),
        "f": pa.chunked_array(CHUNKS, pa.float32()),
        "b": pa.chunked_array([[True, None, False], [True] * 3]),
        "c": ["x"] * 6,
    }
)


@pytest.mark.parametrize("rows", [slice(0, 6), slice(2, 4), slice(0, 0)])
def test_a_frame_of_numbers_alone_holds_what_one_with_other_columns_does(rows):
    table = NUMBERS[rows]
    string = Column("c", "categorical")
    numbers = [Column("n", "numeric"), Column("f", "numeric"), Column("b", "boolean")]
    alone = to_frame(table, numbers)
    beside = to_frame(table, [*numbers, string])

    pd.testing.assert_frame_equal(alone, beside[["n", "f", "b"]])
    assert alone.to_numpy().flags.f_contiguous


def test_a_frame_holds_the_features_in_the_order_of_the_model():
    table = pa.table({"b": ["x"], "extra": [0], "a": [1]})
    features = [Column("a", "numeric"), Column("b", "categorical")]
    frame = to_frame(table, features)

    assert frame.columns.tolist() == ["a", "b"]
