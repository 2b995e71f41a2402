from datetime import datetime

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
    split = make_split(table, time, id_)
    return held_out(table, split).tolist()


def test_about_a_fifth_of_the_rows_is_held_out_and_always_the_same():
    is_held_out = sides(IDS, id_="id")

    assert 0.17 < np.mean(is_held_out) < 0.23
    assert sides(IDS, id_="id") == is_held_out


def test_an_empty_name_of_an_id_or_of_a_time_is_a_name():
    named = IDS.rename_columns(["", "x"])
    assert make_split(named, None, "") == Split("hash", ("",))
    assert sides(named, id_="") == sides(IDS, id_="id")

    timed = pa.table({"": [1.0, 2.0, 3.0, 4.0, 5.0]})
    assert make_split(timed, "", None) == Split("time", ("",), "5.0")


def test_by_time_far_dates_stand_in_their_order():
    years = [*range(1, 9999, 1000), 9999, 1816]
    dates = pa.array([datetime(year, 1, 1) for year in years], pa.timestamp("us"))  # noqa: DTZ001
    assert sides(pa.table({"at": dates}), time="at") == [year > 8000 for year in years]


@settings(max_examples=25)
@given(st.integers(1, 1999), st.randoms(use_true_random=False))
def test_a_row_stays_on_its_side_as_the_table_grows_and_is_shuffled(rows, chance):
    whole = sides(IDS, id_="id")
    order = chance.sample(range(2000), rows)
    part = IDS.take(order)

    assert sides(part, id_="id") == [whole[row] for row in order]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(range(50)),
        pa.array([[number] for number in range(50)]),
        pa.array([bytes([number, 255]) for number in range(50)]),
        pa.array([None if number % 2 else number for number in range(50)]),
        pa.nulls(50),
    ],
    ids=["plain", "list", "bytes", "gaps", "all missing"],
)
def test_without_an_id_the_content_of_a_row_decides_whatever_its_types(column):
    table = pa.table({"x": range(50), "y": column})
    split = make_split(table, None, None)
    whole = held_out(table, split).tolist()
    part = held_out(table.slice(13, 20), split)
    reordered = held_out(table.select(["y", "x"]), split)

    assert split.columns == ("x", "y")
    assert part.tolist() == whole[13:33]
    assert reordered.tolist() == whole


def test_equal_rows_are_on_one_side():
    once = pa.table({"x": range(30), "y": ["a", "b", "c"] * 10})
    twice = pa.concat_tables([once, once])
    is_held_out = sides(twice)

    assert is_held_out[:30] == is_held_out[30:]


def test_an_id_is_on_the_same_side_as_a_number_and_as_a_string():
    numbers = [7, 9007199254740993, *range(100)]
    as_numbers = pa.table({"id": numbers})
    as_strings = pa.table({"id": [str(number) for number in numbers]})

    assert sides(as_numbers, id_="id") == sides(as_strings, id_="id")


def test_by_time_the_newest_fifth_is_held_out_ties_included():
    times = [5.0, 1.0, 2.0, 3.0, 4.0, 5.0, 1.5, 2.5, 3.5, 5.0]
    table = pa.table({"t": times})

    assert sides(table, time="t") == [time == 5.0 for time in times]


def days(*dates):
    timestamps = pa.array(dates).cast(pa.timestamp("us"))
    return pa.table({"t": timestamps})


def test_by_time_the_same_rule_holds_out_later_rows_and_no_earlier_ones():
    first = days(*(f"2024-01-{day:02}" for day in range(1, 11)))
    later = days("2023-12-31", "2024-01-08", "2024-01-09", "2030-01-01")
    split = make_split(first, "t", None)

    assert held_out(later, split).tolist() == [False, False, True, True]


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
    table = pa.table({"t": times})
    with pytest.raises(RequestError, match=f"data.time: .*{words}"):
        make_split(table, "t", None)


def test_what_a_model_may_have_seen_is_what_its_rule_does_not_hold_out():
    split = make_split(IDS, None, "id")
    seen = seen_in_training(IDS, split)

    assert (seen == ~held_out(IDS, split)).all()


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


def test_a_zoned_time_splits_like_the_same_time_in_utc():
    seconds = range(0, 10**7, 10**6)
    in_kathmandu = pa.array(seconds, pa.timestamp("us", "Asia/Kathmandu"))
    in_utc = pa.array(seconds, pa.timestamp("us"))
    zoned = pa.table({"t": stored(pa.chunked_array([in_kathmandu]))})
    plain = pa.table({"t": in_utc})

    assert sides(zoned, time="t") == sides(plain, time="t")
