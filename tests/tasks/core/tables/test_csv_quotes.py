import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.tables.csv_quotes import Position, Quotes

TEXTS = st.text('",\na').map(str.encode)


@given(TEXTS, TEXTS)
def test_two_texts_end_where_one_of_both_does(first, second):
    start = Position(byte=100, line=7, byte_before=ord("x"))

    assert start.after(first).after(second) == start.after(first + second)


@given(TEXTS)
def test_the_end_of_a_text_is_the_place_of_the_position_after_it(text):
    start = Position(byte=100, line=7)

    assert start.after(text).place(0, b"") == start.place(len(text), text)


@pytest.mark.parametrize(
    ("text", "inside", "opened"),
    [
        (b'1,"a"\n', False, ""),
        (b'1,"a"\n2,"b', True, "line 2, byte 8"),
        (b'1,"a""b', True, "line 1, byte 2"),
        (b'5",x\n"b\nc', True, "line 2, byte 5"),
    ],
)
def test_a_value_that_is_open_at_the_end_of_a_text_is_known_by_its_place(text, inside, opened):
    quotes = Quotes()
    fault = quotes.follow(text, Position())

    assert fault == ""
    assert quotes.inside is inside
    if inside:
        assert quotes.opened == opened


def test_a_value_that_goes_on_in_the_next_text_stays_where_it_began():
    first = b'a\n"x'
    start = Position()
    quotes = Quotes()
    quotes.follow(first, start)
    fault = quotes.follow(b"y\nz", start.after(first))

    assert fault == ""
    assert quotes.inside
    assert quotes.opened == "line 2, byte 2"
