"""Rows that no model needs to see."""

import pyarrow as pa
import pytest

from tasks.core.model.refusals import NO_ID, OTHER_TYPE, Rejection
from tasks.core.model.rejected import rejected_before
from tasks.core.tables.columns import Column

AT = [Column("at", "date"), Column("n", "numeric")]
FAR = 2**62


@pytest.mark.parametrize("name", ["id", "", "0"])
def test_a_row_without_an_id_is_rejected_whatever_the_id_is_called(name):
    table = pa.table({name: ["a", None, "c"], "n": [1, 2, 3]})
    expected = {1: Rejection(NO_ID, f"column {name!r} has no value")}
    assert rejected_before(table, name) == expected
    assert rejected_before(table, None) == {}


@pytest.mark.parametrize("type_", [pa.timestamp("s"), pa.timestamp("s", "UTC"), pa.timestamp("ms")])
def test_a_date_that_is_too_far_away_is_rejected_with_its_column_and_value(type_):
    dates = pa.array([0, FAR, None], pa.int64()).cast(type_)
    table = pa.table({"at": dates, "n": [1.0, None, 3.0]})
    found = rejected_before(table, None, AT)

    detail = f"column 'at': {FAR} {type_.unit} since 1970 is farther away than the 292,000 years"
    assert found == {1: Rejection(OTHER_TYPE, f"{detail} that dates reach")}


@pytest.mark.parametrize("type_", [pa.timestamp("us"), pa.timestamp("ns"), pa.null()])
def test_no_other_date_is_rejected(type_):
    table = pa.table({"at": pa.nulls(2, type_), "n": [1, 2]})
    assert rejected_before(table, None, AT) == {}
