import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import Part, part_name
from tasks.core.output.staging import (
    Staging,
    drop_parts,
    finished_part,
    input_slices,
    read_from,
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
    Piece(number, (RowRange("/in/a", "/in/a", "7", 0, 3 * number, 3),), 3 * number)
    for number in range(4)
]
NAMES = [part_name(KEY, number) for number in range(4)]


@pytest.fixture
def staging(tmp_path):
    for name in ("parts/_quarantine", "records", "tables"):
        (tmp_path / name).mkdir(parents=True)
    return Staging(
        parts=str(tmp_path / "parts"),
        records=str(tmp_path / "records"),
        tables=str(tmp_path / "tables"),
    )


def write(staging, number=0):
    """Write a part with one row in quarantine."""
    slices = input_slices(PIECES[number])
    made_of = read_from(PIECES[number])
    part = Part(NAMES[number], 2, 0, None, slices, made_of, quarantined=1)

    return write_part(staging, part, SCORES, REJECTED)


def names_in(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def test_a_part_is_written_whole_with_its_digests_and_its_record(staging):
    part = write(staging)

    scores = Path(staging.parts, part.name)
    assert pq.read_table(scores).equals(SCORES)
    assert part.sha256 == file_digest(scores)
    assert part.size == scores.stat().st_size

    rejected = Path(staging.parts, "_quarantine", part.name)
    assert pq.read_table(rejected).equals(REJECTED)
    assert part.quarantine_sha256 == file_digest(rejected)

    assert finished_part(staging, part.name, PIECES[0]) == part
    assert names_in(staging.tables) == []


def test_a_flipped_bit_in_a_page_is_found_by_its_checksum(staging):
    part = write(staging)
    path = Path(staging.parts, part.name)
    metadata = pq.read_metadata(path)
    column = metadata.row_group(0).column(0)
    end_of_page = column.data_page_offset + column.total_compressed_size

    flip(path, end_of_page - 3)
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(path, page_checksum_verification=True)


def test_the_same_part_written_twice_is_the_same_file(staging):
    first = write(staging)
    second = write(staging)

    assert first == second
    assert names_in(staging.parts) == ["_quarantine", NAMES[0]]


def test_a_part_without_any_score_has_no_file(staging):
    described = Part(NAMES[0], 0, 0, None, SLICES, quarantined=1)
    no_scores = pa.table({})
    part = write_part(staging, described, no_scores, REJECTED)

    assert part.sha256 is None
    assert part.quarantine_sha256 is not None
    assert names_in(staging.parts) == ["_quarantine"]


def test_a_part_that_cannot_be_written_is_one_sentence_that_says_what_to_do(staging):
    nowhere = replace(staging, records=f"{staging.records}/none")
    with pytest.raises(AfterfitError, match=r"cannot be written: .* run the same command again"):
        write(nowhere)


def flip(path, position=10):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:20])


def change_rows(path):
    record = json.loads(path.read_text())
    record["part"]["rows"] = 3
    path.write_text(json.dumps(record))


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
    "a record of other rows": (
        lambda root: change_rows(root / "records" / f"{NAMES[1]}.json"),
        [0, 2],
    ),
    "a part of another run": (
        lambda root: (root / "records" / "part-0000-00009.parquet.json").touch(),
        [0, 1, 2],
    ),
}


@pytest.mark.parametrize(("spoil", "kept"), SPOILT.values(), ids=SPOILT)
def test_just_the_parts_that_are_as_their_records_say_are_reused(staging, tmp_path, spoil, kept):
    for number in range(3):
        write(staging, number)
    spoil(tmp_path)

    found = reusable_parts(staging, PIECES, NAMES)
    assert sorted(found) == kept
    records = [f"{NAMES[number]}.json" for number in kept]
    assert names_in(staging.records) == records


def test_a_part_of_a_source_that_was_cut_otherwise_is_not_reused(staging):
    write(staging)
    longer = RowRange("/in/a", "/in/a", "7", 0, 0, 4)
    other = replace(PIECES[0], slices=(longer,))

    found = reusable_parts(staging, [other], NAMES[:1])
    assert found == {}


def test_a_part_of_a_file_that_was_touched_since_is_not_reused(staging):
    write(staging)
    touched = RowRange("/in/a", "/in/a", "8", 0, 0, 3)
    other = replace(PIECES[0], slices=(touched,))

    found = reusable_parts(staging, [other], NAMES[:1])
    assert found == {}
    assert names_in(staging.records) == []


def test_parts_that_are_dropped_are_not_reused(staging):
    write(staging, 0)
    write(staging, 1)
    drop_parts(staging)
    assert reusable_parts(staging, PIECES, NAMES) == {}


def test_rows_are_counted_by_the_parts_that_are_there(staging):
    write(staging, 0)
    write(staging, 2)
    rows = dict.fromkeys(NAMES, 3)
    assert rows_written(staging, rows) == 6

    on_a_store = replace(staging, parts="memory://none")
    assert rows_written(on_a_store, rows) == 0


INTEGERS = ["int8", "uint8", "int16", "uint32", "int64", "uint64"]


def write_ids(path, ids):
    """Write ids beside a prediction; return them as read, and the encodings of their column."""
    predictions = np.zeros(len(ids))
    table = pa.table({"id": ids, "prediction": predictions})
    write_table(table, str(path))
    assert pq.read_table(path).equals(table)

    first = pq.read_metadata(path).row_group(0).column(0)
    return first.encodings


@pytest.mark.parametrize("type_", INTEGERS)
def test_whole_ids_come_back_as_they_were_and_are_stored_by_differences(tmp_path, type_):
    limits = np.iinfo(type_)
    least, most = limits.min, limits.max
    values = [least, most, least, most, None, most - 1, most - 2, least + 1]
    ids = pa.array(values, type_)

    encodings = write_ids(tmp_path / "part.parquet", ids)
    assert "DELTA_BINARY_PACKED" in encodings


@pytest.mark.parametrize("type_", ["float64", "string"])
def test_other_ids_come_back_as_they_were(tmp_path, type_):
    numbers = pa.array([7, 8, 127, 0, None])
    ids = numbers.cast(type_)

    encodings = write_ids(tmp_path / "part.parquet", ids)
    assert "DELTA_BINARY_PACKED" not in encodings
