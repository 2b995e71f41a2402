import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import Part, part_name
from tasks.core.output.row_counts import check_parts, check_quarantine
from tasks.core.output.staging import (
    Staging,
    finished_part,
    input_slices,
    reusable_parts,
    rows_written,
    write_part,
    write_table,
)
from tasks.core.storage.digests import file_digest
from tasks.core.tables.pieces import Piece, RowRange

KEY = "k" * 64
SLICES = ((0, 0, 3),)
SCORES = pa.table({"row": [0, 1], "prediction": [0.5, 1.5]})
REJECTED = pa.table({"a": [float("inf")], "reason": ["infinite_value"]})
PIECES = [
    Piece(number, (RowRange("/in/a", "/in/a", 0, 3 * number, 3),), 3 * number)
    for number in range(4)
]
NAMES = [part_name(KEY, number) for number in range(4)]


@pytest.fixture
def staging(tmp_path):
    for name in ("parts/_quarantine", "records", "tables"):
        (tmp_path / name).mkdir(parents=True)
    return Staging(*(str(tmp_path / name) for name in ("parts", "records", "tables")))


def write(staging, number=0, rejected=REJECTED):
    part = Part(
        NAMES[number], 2, 0, None, input_slices(PIECES[number]), quarantined=1 if rejected else 0
    )
    return write_part(staging, part, SCORES, rejected)


def test_a_part_is_written_whole_with_its_digest_and_page_checksums(staging):
    part = write(staging)
    path = Path(staging.parts, part.name)
    assert (part.sha256, part.size) == (file_digest(path), path.stat().st_size)
    assert part.quarantine_sha256 == file_digest(Path(staging.parts, "_quarantine", part.name))
    assert pq.read_table(path, page_checksum_verification=True).equals(SCORES)
    assert finished_part(staging, part.name, part.slices) == part
    content = bytearray(path.read_bytes())
    column = pq.read_metadata(path).row_group(0).column(0)
    content[column.data_page_offset + column.total_compressed_size - 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(path, page_checksum_verification=True)


def test_the_same_part_written_twice_is_the_same_file(staging):
    assert write(staging) == write(staging)
    assert sorted(path.name for path in Path(staging.parts).iterdir()) == sorted(
        ["_quarantine", NAMES[0]]
    )


def test_a_part_without_any_score_has_no_file(staging):
    part = write_part(
        staging, Part(NAMES[0], 0, 0, None, SLICES, quarantined=1), pa.table({}), REJECTED
    )
    assert (part.sha256, part.quarantine_sha256 is not None) == (None, True)
    assert [path.name for path in Path(staging.parts).iterdir()] == ["_quarantine"]


SPOILT = {
    "nothing": (lambda _: None, [0, 1, 2]),
    "a part with a flipped bit": (lambda root: flip(root / "parts" / NAMES[1]), [0, 2]),
    "a quarantine with a flipped bit": (
        lambda root: flip(root / "parts/_quarantine" / NAMES[1]),
        [0, 2],
    ),
    "a missing part": (lambda root: (root / "parts" / NAMES[1]).unlink(), [0, 2]),
    "a missing record": (lambda root: (root / "records" / f"{NAMES[1]}.json").unlink(), [0, 2]),
    "half a record": (lambda root: cut(root / "records" / f"{NAMES[1]}.json"), [0, 2]),
    "a record of other rows": (lambda root: rewrite(root / "records" / f"{NAMES[1]}.json"), [0, 2]),
    "a part of another run": (
        lambda root: (root / "records" / "part-0000-00009.parquet.json").touch(),
        [0, 1, 2],
    ),
}


def flip(path):
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:20])


def rewrite(path):
    record = json.loads(path.read_text())
    record["part"]["rows"] = 3
    path.write_text(json.dumps(record))


@pytest.mark.parametrize(("spoil", "kept"), SPOILT.values(), ids=SPOILT.keys())
def test_just_the_parts_that_are_as_their_records_say_are_reused(staging, tmp_path, spoil, kept):
    for number in range(3):
        write(staging, number)
    spoil(tmp_path)
    assert sorted(reusable_parts(staging, PIECES, NAMES)) == kept
    left = sorted(path.name for path in Path(staging.records).iterdir())
    assert left == [f"{NAMES[number]}.json" for number in kept]


def test_a_part_of_a_source_that_was_cut_otherwise_is_not_reused(staging):
    write(staging)
    other = [replace(PIECES[0], slices=(RowRange("/in/a", "/in/a", 0, 0, 4),))]
    assert reusable_parts(staging, other, NAMES[:1]) == {}


def test_rows_are_counted_by_the_parts_that_are_there(staging):
    write(staging, 0)
    write(staging, 2)
    assert rows_written(staging, dict.fromkeys(NAMES, 3)) == 6
    assert rows_written(replace(staging, parts="memory://none"), {}) == 0


@pytest.mark.parametrize(
    ("rows", "budget", "words"),
    [
        (
            1000,
            0,
            r"^2 rows of the 4 looked at so far cannot be scored, 0 may be: .* first are row 7; row 9\. Mend",
        ),
        (4, 0, "^2 rows cannot be scored, 0 may be"),
        (1000, 1, "2 rows .*cannot be scored, 1 may be"),
        (1000, 0.001, "2 rows .*cannot be scored, 1 may be"),
        (1000, 0.002, None),
        (1000, 2, None),
    ],
)
def test_no_more_rows_may_go_to_quarantine_than_the_budget_allows(rows, budget, words):
    parts = [
        Part("a", 1, 0, None, SLICES, quarantined=1, examples=(f"row {row}",)) for row in (7, 9)
    ]
    if words is None:
        assert check_quarantine(parts, budget, rows) is None
        return
    with pytest.raises(AfterfitError, match=words):
        check_quarantine(parts, budget, rows)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (5, None),
        (6, "6 rows went in, 4 came out and 1 are in quarantine"),
        (4, "4 rows went in, 4 came out and 1"),
    ],
)
def test_parts_that_do_not_hold_every_row_are_not_committed(rows, words):
    parts = [Part("a", 3, 0, "x", SLICES), Part("b", 1, 0, "x", SLICES, quarantined=1)]
    if words is None:
        assert check_parts(parts, rows) is None
        return
    with pytest.raises(AfterfitError, match=words):
        check_parts(parts, rows)


def test_a_source_of_which_no_row_can_be_scored_is_not_committed():
    parts = [Part("a", 0, 0, None, SLICES, quarantined=3, examples=("row 0 of x",))]
    with pytest.raises(
        AfterfitError, match=r"None of 3 rows can be scored: .*The first is row 0 of x"
    ):
        check_parts(parts, 3)


@pytest.mark.parametrize(
    "type_", ["int8", "uint8", "int16", "uint32", "int64", "uint64", "float64", "string"]
)
def test_ids_of_any_type_come_back_as_they_were_and_whole_numbers_are_stored_by_their_differences(
    tmp_path, type_
):
    ids = pa.array([7, 8, 127, 0, None]).cast(type_)
    if pa.types.is_integer(ids.type):
        least, most = np.iinfo(type_).min, np.iinfo(type_).max
        ids = pa.array([least, most, least, most, None, most - 1, most - 2, least + 1], type_)
    table = pa.table({"id": ids, "prediction": np.zeros(len(ids))})
    write_table(table, str(tmp_path / "part.parquet"))
    assert pq.read_table(tmp_path / "part.parquet").equals(table)
    encodings = pq.read_metadata(tmp_path / "part.parquet").row_group(0).column(0).encodings
    assert ("DELTA_BINARY_PACKED" in encodings) == pa.types.is_integer(ids.type)
