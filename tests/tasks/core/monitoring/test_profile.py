import json
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from tasks.core.monitoring.profile import MOST_CATEGORIES, profile_column, profile_table
from tasks.core.tables.columns import Column

CATEGORIES = [f"c{number:03}" for number in range(2 * MOST_CATEGORIES)]


def chunked(values, type_=None):
    return pa.chunked_array([pa.array(values, type_)])


@pytest.mark.parametrize(
    ("column", "missing", "low", "middle", "high"),
    [
        (chunked([1.0, 2.0, 3.0, None]), 0.25, 1.0, 2.0, 3.0),
        (chunked([1.0, 2.0, 3.0, float("inf"), float("nan")]), 0.0, 1.0, 2.0, 3.0),
        (chunked([None, None], pa.float64()), 1.0, None, None, None),
        (chunked([datetime(1970, 1, 1), datetime(1970, 1, 1, 0, 0, 1)]), 0.0, 0.0, 5e5, 1e6),  # noqa: DTZ001
    ],
)
def test_numbers_and_times_are_described_by_quantiles_of_what_is_finite(
    column, missing, low, middle, high
):
    found = profile_column(column)
    quantiles = found["quantiles"]
    assert (found["missing"], quantiles["0.0"], quantiles["0.5"], quantiles["1.0"]) == (
        missing,
        low,
        middle,
        high,
    )
    assert None in quantiles.values() or list(quantiles.values()) == sorted(quantiles.values())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["b", "a", "b", None], {"missing": 0.25, "categories": {"b": 2, "a": 1}}),
        ([True, True, False], {"missing": 0.0, "categories": {"True": 2, "False": 1}}),
        (
            CATEGORIES,
            {"missing": 0.0, "categories": dict.fromkeys(CATEGORIES[:MOST_CATEGORIES], 1)},
        ),
    ],
)
def test_texts_and_booleans_are_described_by_their_most_frequent_values(values, expected):
    assert profile_column(chunked(values)) == expected


@pytest.mark.parametrize("predictions", [[0.5, 1.5], ["a", "b"], [True, False], [1, 2]])
def test_a_profile_is_json(predictions):
    table = pa.table({"n": [1.0, None], "c": ["x", None]})
    features = [Column("n", "numeric"), Column("c", "categorical")]
    found = profile_table(table, features, np.asarray(predictions))
    assert json.loads(json.dumps(found)) == found
    assert (found["rows"], list(found["features"])) == (2, ["n", "c"])
