from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import QUARANTINE, Part
from tasks.core.output.staging import write_table
from tasks.core.output.unique_ids import check_unique_ids

GOOD = {
    "ascending": ([[1, 2], [3, 9]], []),
    "in any order": ([[5, 1], [4, -7]], []),
    "around 2**53": ([[2**53, 2**53 + 1], [2**53 - 1]], []),
    "strings": ([["10", "9"], ["007", "7"]], []),
    "unicode twins": ([["Å"], ["A\u030a"]], []),
    "one part": ([[3, 2, 1]], []),
    "dates": ([[date(2024, 1, 2), date(2024, 1, 1)]], []),
    "with quarantine": ([["c", "a"]], ["b", None, None]),
    "missing ones apart": ([["b"], ["a"]], [None, None]),
}
BAD = {
    "side by side": ([[1, 1]], [], "The id 1 occurs twice"),
    "across parts": ([[1, 2], [2, 3]], [], "The id 2 occurs twice"),
    "far apart": ([["b", "x"], ["c"], ["b"]], [], "The id 'b' occurs twice"),
    "in quarantine too": ([["a", "b"]], ["a"], "The id 'a' occurs twice"),
    "several": ([[3, 1, 3, 1]], [], "occurs twice, and 1 more do"),
}


@pytest.fixture
def write_ids(tmp_path):
    """Write parts with these ids and one quarantine; return what the manifest says of them."""
    quarantine = tmp_path / QUARANTINE
    quarantine.mkdir()

    def write_part(name, ids):
        table = pa.table({"id": ids, "x": ids})
        file = tmp_path / name
        _, sha256 = write_table(table, str(file))

        return Part(name, len(ids), 0, sha256, ())

    def write_quarantine(name, ids):
        table = pa.table({"id": ids})
        file = quarantine / name
        _, sha256 = write_table(table, str(file))

        return Part(name, 0, 0, None, (), quarantined=len(ids), quarantine_sha256=sha256)

    def write_files(parts, rejected):
        written = []
        for number, ids in enumerate(parts):
            part = write_part(f"{number}.parquet", ids)
            written.append(part)

        if rejected:
            same_type = pa.array(parts[0]).type
            part = write_quarantine("9.parquet", pa.array(rejected, same_type))
            written.append(part)
        return written

    return write_files


@pytest.mark.parametrize("at_once", [1, 3, 1 << 24])
@pytest.mark.parametrize(("parts", "rejected"), GOOD.values(), ids=GOOD)
def test_ids_that_occur_once_pass_however_little_is_held_at_once(
    tmp_path, write_ids, parts, rejected, at_once
):
    written = write_ids(parts, rejected)
    assert check_unique_ids(str(tmp_path), written, "id", at_once) is None


@pytest.mark.parametrize("at_once", [1, 3, 1 << 24])
@pytest.mark.parametrize(("parts", "rejected", "words"), BAD.values(), ids=BAD)
def test_an_id_that_occurs_twice_is_refused(tmp_path, write_ids, parts, rejected, words, at_once):
    written = write_ids(parts, rejected)
    expected = words if at_once > 3 else "occurs twice"

    with pytest.raises(AfterfitError, match=expected):
        check_unique_ids(str(tmp_path), written, "id", at_once)


def test_two_ids_with_one_hash_are_still_two(tmp_path, write_ids):
    def always_seven(ids):
        return np.full(len(ids), 7, dtype=np.uint64)

    folder = str(tmp_path)
    written = write_ids([["b", "a"]], [])
    assert check_unique_ids(folder, written, "id", hash_ids=always_seven) is None

    twice = [*written, *written]
    with pytest.raises(AfterfitError, match="The id 'b' occurs twice"):
        check_unique_ids(folder, twice, "id", hash_ids=always_seven)
