import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.errors import RequestError
from tasks.core.tables.frames import stored
from tasks.core.tables.split import Split, held_out, make_split, seen_in_training

IDS = pa.table(
    {
        "id": [f"customer-{number}" for number in range(2000)],
        "x": [number % 7 for number in range(2000)],
    }
)


def sides(table, time=None, id_=None):
    return held_out(table, make_split(table, time, id_)).tolist()


def test_about_a_fifth_of_the_rows_is_held_out_and_always_the_same():
    share = np.mean(sides(IDS, id_="id"))
    assert 0.17 < share < 0.23
    assert sides(IDS, id_="id") == sides(IDS, id_="id")


@settings(max_examples=25)
@given(st.integers(1, 1999), st.randoms(use_true_random=False))
def test_a_row_stays_on_its_side_as_the_table_grows_and_is_shuffled(rows, chance):
    whole = dict(zip(IDS["id"].to_pylist(), sides(IDS, id_="id"), strict=True))
    order = chance.sample(range(2000), rows)
    part = IDS.take(order)
    assert sides(part, id_="id") == [whole[name] for name in part["id"].to_pylist()]


@pytest.mark.parametrize("column", ["plain", "list", "bytes", "gaps", "all missing"])
def test_without_an_id_the_content_of_a_row_decides_whatever_its_types(column):
    columns = {
        "plain": pa.array(range(50)),
        "list": pa.array([[number] for number in range(50)]),
        "bytes": pa.array([bytes([number, 255]) for number in range(50)]),
        "gaps": pa.array([None if number % 2 else number for number in range(50)]),
        "all missing": pa.nulls(50),
    }
    table = pa.table({"x": pa.array(range(50)), "y": columns[column]})
    split = make_split(table, None, None)
    whole = held_out(table, split).tolist()
    assert split.columns == ("x", "y")
    assert held_out(table.slice(13, 20), split).tolist() == whole[13:33]
    assert held_out(table.select(["y", "x"]), split).tolist() == whole


def test_equal_rows_are_on_one_side():
    table = pa.table({"x": [1, 2, 3, 1, 2, 3], "y": ["a", "b", "c", "a", "b", "c"]})
    assert sides(table)[:3] == sides(table)[3:]


@pytest.mark.parametrize("ids", [[7, 9007199254740993], ["7", "9007199254740993"]])
def test_an_id_is_on_the_same_side_as_a_number_and_as_a_text(ids):
    assert sides(pa.table({"id": ids}), id_="id") == sides(
        pa.table({"id": ["7", "9007199254740993"]}), id_="id"
    )


def test_by_time_the_newest_fifth_is_held_out_ties_included():
    table = pa.table({"t": [5.0, 1.0, 2.0, 3.0, 4.0, 5.0, 1.5, 2.5, 3.5, 5.0]})
    assert sides(table, time="t") == [moment == 5.0 for moment in table["t"].to_pylist()]


def test_by_time_later_rows_are_held_out_by_the_same_rule_and_earlier_ones_are_not():
    days = pa.array(
        np.arange("2024-01-01", "2024-01-11", dtype="datetime64[D]").astype("datetime64[us]")
    )
    split = make_split(pa.table({"t": days}), "t", None)
    later = pa.array(["2023-12-31", "2024-01-08", "2024-01-09", "2030-01-01"]).cast(
        pa.timestamp("us")
    )
    assert held_out(pa.table({"t": later}), split).tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (pa.array(["a", "b"] * 5), "holds string, not times or numbers"),
        (pa.array([1.0, None] * 5), "is missing in 5 rows"),
        (pa.array([1.0, float("nan")] * 5), "is missing in 5 rows"),
        (pa.array([3.0] * 9 + [4.0]), "oldest 80% of the rows share one value"),
    ],
)
def test_a_time_that_cannot_split_is_refused(times, words):
    with pytest.raises(RequestError, match=f"data.time: .*{words}"):
        make_split(pa.table({"t": times}), "t", None)


def test_what_a_model_may_have_seen_is_what_its_rule_does_not_hold_out():
    split = make_split(IDS, None, "id")
    assert (seen_in_training(IDS, split) == ~held_out(IDS, split)).all()


@pytest.mark.parametrize(
    ("table", "split"),
    [
        (pa.table({"x": [1, 2]}), Split("hash", ("id",))),
        (pa.table({"t": ["soon", "later"]}), Split("time", ("t",), "2024-01-01")),
        (pa.table({"t": [1, 2]}), Split("time", ("t",), "2024-01-01T00:00:00.000000")),
    ],
)
def test_a_rule_that_cannot_tell_says_that_every_row_was_seen(table, split):
    assert seen_in_training(table, split).tolist() == [True, True]


def test_a_zoned_time_splits_like_the_same_moment_in_utc():
    zoned = pa.chunked_array(
        [pa.array(range(0, 10**7, 10**6), pa.timestamp("us", "Asia/Kathmandu"))]
    )
    plain = pa.chunked_array([pa.array(range(0, 10**7, 10**6), pa.timestamp("us"))])
    assert sides(pa.table({"t": stored(zoned)}), time="t") == sides(
        pa.table({"t": plain}), time="t"
    )
