import json
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from tasks.core.monitoring.profile import MOST_CATEGORIES, profile_column, profile_table
from tasks.core.tables.columns import Column

NAN, INFINITY = float("nan"), float("inf")
CATEGORIES = [f"c{number:03}" for number in range(2 * MOST_CATEGORIES)]
MOST = dict.fromkeys(CATEGORIES[:MOST_CATEGORIES], 1)
TIMES = [datetime(1970, 1, 1), datetime(1970, 1, 1, 0, 0, 1)]  # noqa: DTZ001 - as a table has them

FAR = [datetime(1, 1, 1), datetime(5000, 1, 1), datetime(9999, 1, 1)]  # noqa: DTZ001 - the same


def chunked(values, type_=None):
    return pa.chunked_array([pa.array(values, type_)])


@pytest.mark.parametrize(
    ("column", "missing", "low", "middle", "high"),
    [
        (chunked([1.0, 2.0, 3.0, None]), 0.25, 1.0, 2.0, 3.0),
        (chunked([1.0, 2.0, 3.0, INFINITY, NAN]), 0.0, 1.0, 2.0, 3.0),
        (chunked([None, None], pa.float64()), 1.0, None, None, None),
        (chunked([], pa.float64()), 0.0, None, None, None),
        (chunked(TIMES), 0.0, 0.0, 5e5, 1e6),
        (chunked(FAR), 0.0, -62135596800e6, 95617584000e6, 253370764800e6),
    ],
)
def test_numbers_and_times_are_described_by_quantiles_of_what_is_finite(
    column, missing, low, middle, high
):
    found = profile_column(column)
    assert found["missing"] == missing

    quantiles = found["quantiles"]
    assert [quantiles[share] for share in ("0.0", "0.5", "1.0")] == [low, middle, high]
    values = list(quantiles.values())
    assert None in values or values == sorted(values)


@pytest.mark.parametrize(
    ("values", "missing", "categories"),
    [
        (["b", "a", "b", None], 0.25, {"b": 2, "a": 1}),
        ([True, True, False], 0.0, {"True": 2, "False": 1}),
        (CATEGORIES, 0.0, MOST),
        (CATEGORIES[::-1], 0.0, MOST),
    ],
)
def test_strings_and_booleans_are_described_by_their_most_frequent_values(
    values, missing, categories
):
    assert profile_column(chunked(values)) == {"missing": missing, "categories": categories}


@pytest.mark.parametrize("predictions", [[0.5, 1.5], ["a", "b"], [True, False], [1, 2]])
def test_a_profile_is_json(predictions):
    table = pa.table({"n": [1.0, None], "c": ["x", None]})
    features = [Column("n", "numeric"), Column("c", "categorical")]
    found = profile_table(table, features, np.asarray(predictions))

    assert json.loads(json.dumps(found)) == found
    assert (found["rows"], list(found["features"])) == (2, ["n", "c"])
