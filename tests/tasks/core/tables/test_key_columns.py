from datetime import datetime

import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.tables.columns import Column
from tasks.core.tables.key_columns import add_keys, key_values, model_types

INT = pa.int64()
STRING = pa.string()


@pytest.mark.parametrize(
    ("found", "kind", "value", "expected"),
    [
        (INT, "categorical", "01", "01"),
        (INT, "categorical", "1", "1"),
        (STRING, "categorical", "", ""),
        (INT, "numeric", "01", 1),
        (STRING, "numeric", "1.5", 1.5),
        (STRING, "numeric", "2", 2.0),
        (STRING, "boolean", "true", True),
        (INT, "boolean", "0", False),
        (STRING, "date", "2026-01-31", datetime(2026, 1, 31)),  # noqa: DTZ001 - as they are stored
        (STRING, "numeric", "__HIVE_DEFAULT_PARTITION__", None),
        (INT, None, "01", 1),
        (STRING, None, "01", "01"),
    ],
)
def test_a_key_is_of_the_type_that_the_model_knows(found, kind, value, expected):
    """Of a key that is no feature, the values of the source decide."""
    features = [Column("k", kind)] if kind else []
    types = model_types({"k": found}, features)
    ((name, scalar),) = key_values(f"/in/k={value}/a.parquet", types)
    assert (name, scalar.as_py()) == ("k", expected)
    assert type(scalar.as_py()) is type(expected)
    assert scalar.type == types["k"]


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("numeric", "north", "'k' is 'north', which is no number; .* trained on a numeric column"),
        ("numeric", "NA", "'k' is 'NA', which is no number"),
        ("boolean", "maybe", "'k' is 'maybe', which is no boolean"),
        ("date", "NA", "'k' is 'NA', which is no date"),
        ("date", "yesterday", "'k' is 'yesterday', which is no date"),
    ],
)
def test_a_value_of_another_type_than_the_model_knows_is_refused(kind, value, words):
    types = model_types({"k": STRING}, [Column("k", kind)])
    with pytest.raises(RequestError, match=words):
        key_values(f"/in/k={value}/a.parquet", types)


def test_keys_stand_after_the_columns_of_the_file_also_where_it_has_no_row():
    keys = key_values("/in/a=1/b=x/0.csv", {"a": INT, "b": STRING})
    table = add_keys(pa.table({"n": pa.array([], pa.float64())}), keys)
    assert table.schema == pa.schema([("n", pa.float64()), ("a", INT), ("b", STRING)])
    assert add_keys(pa.table({"n": [0.5, 1.5]}), keys).to_pydict() == {
        "n": [0.5, 1.5], "a": [1, 1], "b": ["x", "x"],
    }  # fmt: skip
