from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.tables.columns import Column, feature_columns, kind_of
from tasks.core.tables.frames import stored, to_frame
from tasks.core.tables.schemas import check_schema


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        (pa.int8(), "numeric"), (pa.uint64(), "numeric"), (pa.float16(), "numeric"), (pa.decimal128(5, 2), "numeric"),
        (pa.bool_(), "boolean"),
        (pa.date32(), "date"), (pa.timestamp("ns", "UTC"), "date"), (pa.string(), "categorical"),
        (pa.large_string(), "categorical"), (pa.dictionary(pa.int8(), pa.string()), "categorical"),
        (pa.dictionary(pa.int8(), pa.int64()), "numeric"),
        (pa.binary(), None), (pa.list_(pa.int8()), None), (pa.time32("s"), None), (pa.null(), None),
        (pa.struct([("a", pa.int8())]), None),
    ],
)  # fmt: skip
def test_every_arrow_type_is_of_one_kind_or_of_none(type_, kind):
    assert kind_of(type_) == kind


def test_features_are_what_is_not_left_out_in_the_order_of_the_table():
    schema = pa.schema([("b", pa.int8()), ("y", pa.int8()), ("a", pa.string())])
    assert feature_columns(schema, ["y"]) == (Column("b", "numeric"), Column("a", "categorical"))


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (pa.schema([("y", pa.int8())]), "No column is left"),
        (
            pa.schema([("y", pa.int8()), ("raw", pa.binary())]),
            "'raw' is of type binary, which no model can use",
        ),
    ],
)
def test_a_table_without_usable_features_is_refused(schema, words):
    with pytest.raises(RequestError, match=words):
        feature_columns(schema, ["y"])


FEATURES = (Column("a", "numeric"), Column("b", "categorical"))


@pytest.mark.parametrize(
    "fields",
    [
        [("a", pa.int64()), ("b", pa.string()), ("id", pa.int64())],
        [
            ("id", pa.string()),
            ("extra", pa.binary()),
            ("b", pa.dictionary(pa.int8(), pa.string())),
            ("a", pa.float32()),
        ],
        [("a", pa.null()), ("b", pa.null()), ("id", pa.null())],
    ],
)
def test_extra_reordered_and_empty_columns_are_welcome(fields):
    assert check_schema(pa.schema(fields), FEATURES, ["id"], "in.parquet") is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([("a", pa.int64()), ("id", pa.int64())], "column 'b' is missing; it has a, id"),
        ([("a", pa.int64()), ("B", pa.string()), ("id", pa.int64())], "column 'b' is missing"),
        ([("a", pa.int64()), ("b", pa.string())], "column 'id' is missing"),
        (
            [("a", pa.string()), ("b", pa.string()), ("id", pa.int64())],
            "column 'a' is string, .* on a numeric one",
        ),
        ([("a", pa.bool_()), ("b", pa.string()), ("id", pa.int64())], "column 'a' is bool"),
        (
            [("a", pa.int64()), ("b", pa.int64()), ("id", pa.int64())],
            "column 'b' is int64, .* on a categorical one",
        ),
        (
            [("a", pa.int64()), ("a", pa.int64()), ("b", pa.string()), ("id", pa.int8())],
            "column 'a' occurs twice",
        ),
    ],
)
def test_a_missing_renamed_doubled_or_retyped_column_is_refused_by_name(fields, words):
    with pytest.raises(RequestError, match=f"^in.parquet: {words}"):
        check_schema(pa.schema(fields), FEATURES, ["id"], "in.parquet")


def test_the_message_about_a_wide_table_stays_short():
    schema = pa.schema([(f"c{number}", pa.int8()) for number in range(10_000)])
    with pytest.raises(RequestError, match=r"c28, c29, \.\.\.\.") as refused:
        check_schema(schema, FEATURES, [], "wide.parquet")
    assert len(str(refused.value)) < 250


MOMENT = datetime(2024, 5, 6, 7, 8, 9, 123456)  # noqa: DTZ001 - the naive one is what is stored


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
        (pa.array([date(2024, 5, 6)]), [datetime(2024, 5, 6)], pa.timestamp("us")),  # noqa: DTZ001
        (pa.array([MOMENT], pa.timestamp("us", "Asia/Kathmandu")), [MOMENT], pa.timestamp("us")),
        (pa.array([MOMENT.replace(tzinfo=UTC)]), [MOMENT], pa.timestamp("us")),
        (pa.array([1_000_000_001], pa.timestamp("ns")), [datetime(1970, 1, 1, 0, 0, 1)], pa.timestamp("us")),  # noqa: DTZ001
        (pa.array([1_000_000_001], pa.timestamp("ns", "UTC")), [datetime(1970, 1, 1, 0, 0, 1)], pa.timestamp("us")),  # noqa: DTZ001
        (pa.array([b"\xff"]), [b"\xff"], pa.binary()),
    ],
)  # fmt: skip
def test_each_kind_is_stored_as_one_type(array, values, type_):
    """A time with a zone is stored as the moment in UTC; what is finer than a microsecond is cut
    off.
    """
    found = stored(pa.chunked_array([array]))
    assert (found.to_pylist(), found.type) == (values, type_)


KINDS = {"n": "numeric", "b": "boolean", "c": "categorical", "d": "date"}


def test_a_frame_has_one_dtype_for_each_kind_whatever_a_piece_happens_to_hold():
    full = pa.table({"n": [1, 2], "b": [True, False], "c": ["x", "y"], "d": [MOMENT, MOMENT]})
    empty = pa.table({name: pa.nulls(2) for name in KINDS})
    features = [Column(name, kind) for name, kind in KINDS.items()]
    expected = ["float64", "float64", "object", "datetime64[us]"]
    for table in (
        full,
        empty,
        full.slice(0, 0),
        pa.concat_tables([full.slice(0, 1), full.slice(1)]),
    ):
        assert [str(dtype) for dtype in to_frame(table, features).dtypes] == expected


def test_missing_is_nan_in_numbers_booleans_and_texts_and_nat_in_dates():
    table = pa.table({"n": [None, 1], "b": [None, True], "c": [None, "x"], "d": [None, MOMENT]})
    frame = to_frame(table, [Column(name, kind) for name, kind in KINDS.items()])
    assert np.isnan(frame["n"][0])
    assert np.isnan(frame["b"][0])
    assert np.isnan(frame["c"][0])
    assert (frame["c"][1], frame["c"].dtype) == ("x", object)
    assert frame["d"].isna().tolist() == [True, False]
    assert (frame["n"][1], frame["b"][1], frame["d"][1].to_pydatetime()) == (1.0, 1.0, MOMENT)


def test_a_frame_of_numbers_alone_holds_what_one_with_other_columns_does():
    chunks = [[1, None, 3], [4, 5, 6]]
    table = pa.table({
        "n": pa.chunked_array(chunks), "f": pa.chunked_array(chunks, pa.float32()),
        "b": pa.chunked_array([[True, None, False], [True] * 3]), "c": ["x"] * 6,
    })  # fmt: skip
    numbers = [Column("n", "numeric"), Column("f", "numeric"), Column("b", "boolean")]
    for rows in (table, table.slice(2, 2), table.slice(0, 0)):
        alone, beside = (
            to_frame(rows, numbers),
            to_frame(rows, [*numbers, Column("c", "categorical")]),
        )
        pd.testing.assert_frame_equal(alone, beside[["n", "f", "b"]])
        assert alone.to_numpy().flags.f_contiguous


def test_a_frame_holds_the_features_in_the_order_of_the_model():
    table = pa.table({"b": ["x"], "extra": [0], "a": [1]})
    assert to_frame(table, FEATURES).columns.tolist() == ["a", "b"]
