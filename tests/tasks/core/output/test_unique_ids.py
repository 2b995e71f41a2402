from datetime import date

import pyarrow as pa
import pytest

from tasks.core.errors import AfterfitError
from tasks.core.output import unique_ids
from tasks.core.output.manifest import QUARANTINE, Part
from tasks.core.output.staging import write_table
from tasks.core.output.unique_ids import check_unique_ids

GOOD = {
    "ascending": ([[1, 2], [3, 9]], []),
    "in any order": ([[5, 1], [4, -7]], []),
    "around 2**53": ([[2**53, 2**53 + 1], [2**53 - 1]], []),
    "texts": ([["10", "9"], ["007", "7"]], []),
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


def write(folder, parts, rejected):
    (folder / QUARANTINE).mkdir()
    written = []
    for number, values in enumerate(parts):
        _, sha256 = write_table(
            pa.table({"id": values, "x": values}), str(folder / f"{number}.parquet")
        )
        written.append(Part(f"{number}.parquet", len(values), 0, sha256, ()))
    if rejected:
        table = pa.table({"id": pa.array(rejected, pa.array(parts[0]).type)})
        _, sha256 = write_table(table, str(folder / QUARANTINE / "9.parquet"))
        written.append(
            Part("9.parquet", 0, 0, None, (), quarantined=len(rejected), quarantine_sha256=sha256)
        )
    return written


@pytest.mark.parametrize("at_once", [1, 3, 1 << 24])
@pytest.mark.parametrize(("parts", "rejected"), GOOD.values(), ids=GOOD.keys())
def test_ids_that_occur_once_pass_however_little_is_held_at_once(
    tmp_path, monkeypatch, parts, rejected, at_once
):
    monkeypatch.setattr(unique_ids, "AT_ONCE", at_once)
    assert check_unique_ids(str(tmp_path), write(tmp_path, parts, rejected), "id") is None


@pytest.mark.parametrize("at_once", [1, 3, 1 << 24])
@pytest.mark.parametrize(("parts", "rejected", "words"), BAD.values(), ids=BAD.keys())
def test_an_id_that_occurs_twice_is_refused(tmp_path, monkeypatch, parts, rejected, words, at_once):
    monkeypatch.setattr(unique_ids, "AT_ONCE", at_once)
    with pytest.raises(AfterfitError, match=words if at_once > 3 else "occurs twice"):
        check_unique_ids(str(tmp_path), write(tmp_path, parts, rejected), "id")


def test_two_ids_with_one_hash_are_still_two(tmp_path, monkeypatch):
    monkeypatch.setattr(
        unique_ids, "_hashes", lambda chunk: pa.array([7] * len(chunk), pa.uint64()).to_numpy()
    )
    assert check_unique_ids(str(tmp_path), write(tmp_path, [["b", "a"]], []), "id") is None
