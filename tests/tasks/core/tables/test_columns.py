import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.tables.columns import Column, feature_columns, kind_of


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        (pa.int8(), "numeric"),
        (pa.uint64(), "numeric"),
        (pa.float16(), "numeric"),
        (pa.decimal128(5, 2), "numeric"),
        (pa.bool_(), "boolean"),
        (pa.date32(), "date"),
        (pa.timestamp("ns", "UTC"), "date"),
        (pa.string(), "categorical"),
        (pa.large_string(), "categorical"),
        (pa.dictionary(pa.int8(), pa.string()), "categorical"),
        (pa.dictionary(pa.int8(), pa.int64()), "numeric"),
        (pa.binary(), None),
        (pa.list_(pa.int8()), None),
        (pa.time32("s"), None),
        (pa.null(), None),
        (pa.struct([("a", pa.int8())]), None),
    ],
)
def test_every_arrow_type_is_of_one_kind_or_of_none(type_, kind):
    assert kind_of(type_) == kind


def test_features_are_what_is_not_left_out_in_the_order_of_the_table():
    fields = [("b", pa.int8()), ("y", pa.int8()), ("a", pa.string())]
    b, a = feature_columns(pa.schema(fields), ["y"])

    assert b == Column("b", "numeric")
    assert a == Column("a", "categorical")


def test_the_nameless_index_of_pandas_is_no_feature():
    fields = [("a", pa.int8()), ("__index_level_0__", pa.int64())]
    (feature,) = feature_columns(pa.schema(fields), [])

    assert feature == Column("a", "numeric")


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
