import io

import pytest

from tasks.core.tables.csv_lines import first_fault


@pytest.mark.parametrize(
    ("content", "fields", "place"),
    [
        (b"a,b\n1,2\n", 2, ""),
        (b"a,b\n\n1,2\n", 2, ""),
        (b"a,b\n1,2\n1\n", None, ""),
        (b"a,b\n1,2\n1\n", 2, "the row that begins in line 3, byte 8"),
        (b'a,b\n1,"x\ny"\n1,2,3\n', 2, "the row that begins in line 4, byte 12"),
        (b'a,b\n1,"x\ny",3\n', 2, "the row that begins in line 2, byte 4"),
        (b"a,b\n1,\xe9\n", 2, "line 2, byte 6"),
        (b"a,b\n1,\xe9\n", None, "line 2, byte 6"),
        ("a,b\né,1\né,2,3\n".encode(), 2, "the row that begins in line 3, byte 9"),
    ],
)
def test_the_first_row_that_cannot_be_read_is_named_by_its_line_and_byte(content, fields, place):
    """An empty line is no row; a value may hold ends of lines; bytes are counted, not letters."""
    assert first_fault(io.BytesIO(content), fields) == place
