import csv
import io
import random

import pytest

from tasks.core.tables.csv_text import CheckedText

SIZES = (1, 2, 3, 7, 1000)  # of what is read at once


def read(content, size):
    """Read a content through the check; return what is wrong with it, and what came through."""
    text = CheckedText(io.BytesIO(content))
    through = b""
    while chunk := text.read(size):
        through += chunk
    return text.fault, through


GOOD = [
    b"",
    b"a\n",
    b'a,b\n1,"x"\n',
    b'a\n"x""y"\n',
    b'a\n""\n',
    b'a\n""""\n',
    b'a\n"x"',
    b'"a"\n"x""",y',
    b'a\n5" pipe\n"6"""\n',
    b'a\nx""y\n',
    b'a,b\n ,"1"\n"2",x""\n',
    b'\xef\xbb\xbf"a","b"\r\n"x\n y",2\r\n',
]
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


def faults(content):
    """Return what is wrong with a content, as found with each size of what is read at once."""
    return {read(content, size)[0] for size in SIZES}


def random_csv(chance):
    """Return what Python's writer makes of three columns and four rows of random strings."""
    written = io.StringIO()
    line_end = chance.choice(["\n", "\r\n"])
    writer = csv.writer(written, lineterminator=line_end)
    for _ in range(4):
        lengths = [chance.randint(0, 5) for _ in range(3)]
        letters = [chance.choices('ab",\n\r x', k=length) for length in lengths]
        writer.writerow(["".join(value) for value in letters])

    return written.getvalue().encode()


def test_what_a_writer_quotes_comes_through_and_all_sizes_find_the_same_fault():
    """A fault is a mark that is missing."""
    chance = random.Random(1)  # noqa: S311 - nobody is to be surprised but us
    for _ in range(500):
        content = random_csv(chance)
        assert faults(content) == {""}

        marks = [offset for offset, byte in enumerate(content) if byte == ord('"')]
        if marks:
            missing = chance.choice(marks)
            without = content[:missing] + content[missing + 1 :]
            assert len(faults(without)) == 1
