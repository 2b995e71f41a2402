import csv
import io
import random

import pytest

from tasks.core.tables.csv_text import CheckedText

SIZES = (1, 2, 3, 7, 1000)  # of what is read at once


def read(content, size):
    """Read a content through the check; give what is wrong with it, and what came through."""
    text, through = CheckedText(io.BytesIO(content)), b""
    while chunk := text.read(size):
        through += chunk
    return text.fault, through


GOOD = [
    b"", b"a\n", b'a,b\n1,"x"\n', b'a\n"x""y"\n', b'a\n""\n', b'a\n""""\n', b'a\n"x"', b'"a"\n"x""",y',
    b'a\n5" pipe\n"6"""\n', b'a\nx""y\n', b'a,b\n ,"1"\n"2",x""\n', b'\xef\xbb\xbf"a","b"\r\n"x\n y",2\r\n',
]  # fmt: skip
BAD = [
    (b'a\n"x\n', "line 2, byte 2: a quotation mark is opened and never closed"),
    (b'a\n"x""\n', "line 2, byte 2: a quotation mark is opened and never closed"),
    (b'a\n"x"y\n', "line 2, byte 4: text follows a closing quotation mark"),
    (b'a,b\n1,"x\n2,"y"\n', "line 3, byte 11: text follows a closing quotation mark"),
    (b'a,b\n5",x\n1,"x\n2,"y"\n', "line 4, byte 16: text follows a closing quotation mark"),
    (b'a\n"\n1\0\n', "line 3, byte 5: a NUL character"),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("content", GOOD, ids=repr)
def test_text_that_a_parser_reads_as_it_is_meant_comes_through(content, size):
    assert read(content, size) == ("", content)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("content", "words"), BAD, ids=repr)
def test_text_that_a_parser_would_join_or_cut_is_found_with_its_place(content, words, size):
    fault, through = read(content, size)
    assert fault.startswith(words)
    assert content.startswith(through)


def test_what_a_writer_quotes_comes_through_and_without_one_mark_all_sizes_say_the_same():
    chance = random.Random(1)  # noqa: S311 - nobody is to be surprised but us
    for _ in range(500):
        rows = [
            ["".join(chance.choices('ab",\n\r x', k=chance.randint(0, 5))) for _ in range(3)]
            for _ in range(4)
        ]
        written = io.StringIO()
        csv.writer(written, lineterminator=chance.choice(["\n", "\r\n"])).writerows(rows)
        content = written.getvalue().encode()
        assert {read(content, size)[0] for size in SIZES} == {""}
        if marks := [place for place, byte in enumerate(content) if byte == ord('"')]:
            place = chance.choice(marks)
            assert (
                len({read(content[:place] + content[place + 1 :], size)[0] for size in SIZES}) == 1
            )
