import json
import re
from dataclasses import replace

import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.output.manifest import (
    MANIFEST_NAME,
    QUARANTINE,
    Manifest,
    describe,
    make_run_key,
    part_name,
    read_manifest,
)
from tasks.core.output.reading import read_scores
from tasks.core.output.verify import is_whole, verify_output
from tasks.core.storage.digests import digest_of


@pytest.fixture
def output(tmp_path, write_output):
    """An output of 5 and 3 rows, with its manifest."""
    folder = tmp_path / "scores"
    manifest = write_output(folder, version=3)
    (folder / MANIFEST_NAME).write_text(manifest.to_json())
    return folder


def rewrite(output, change):
    document = json.loads((output / MANIFEST_NAME).read_text())
    change(document)
    document["digest"] = digest_of(
        {name: value for name, value in document.items() if name != "digest"}
    )
    (output / MANIFEST_NAME).write_text(json.dumps(document))


def test_a_manifest_survives_json(tmp_path, write_output):
    manifest = replace(write_output(tmp_path, version=3), window="2024-01-01")
    (tmp_path / MANIFEST_NAME).write_text(manifest.to_json())
    assert read_manifest(tmp_path) == manifest
    assert read_manifest(tmp_path).to_json() == manifest.to_json()


def test_where_nothing_was_committed_there_is_no_manifest(tmp_path):
    (tmp_path / "file").write_text("x")
    assert [read_manifest(tmp_path / name) for name in ("none", "file", ".")] == [None, None, None]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"[]", "is of another format: this version reads format 2"),
        (b"{}", "is of another format"),
        (b'{"format_version": 1}', "is of another format"),
        (b'{"format_version": 2}', "is damaged"),
        (b'{"format_version": 2, "inputs": [], "parts": [{}], "schema": []}', "is damaged"),
        (
            b'{"format_version": 2, "inputs": [], "parts": [], "schema": [], "extra": 1}',
            "is damaged",
        ),
        (b'{"format_version": 2, "inputs": [], "parts": [], "schema": [1]}', "is damaged"),
    ],
)
def test_a_manifest_that_is_damaged_or_of_another_format_is_one_sentence(tmp_path, content, words):
    (tmp_path / MANIFEST_NAME).write_bytes(content)
    said = verify_output(tmp_path)
    for read in (read_manifest, read_scores):
        with pytest.raises(RequestError) as refused:
            read(tmp_path)
        said.append(str(refused.value))
    for sentence in said:
        assert re.search(words, sentence)
        assert "\n" not in sentence
        assert MANIFEST_NAME in sentence
    assert len(said) == 3


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


FAULTS = {
    "nothing": (lambda _: None, []),
    "a flipped bit": (
        lambda folder: flip(parts(folder)[0], 40),
        ["00000.parquet: its content has changed"],
    ),
    "a missing part": (lambda folder: parts(folder)[1].unlink(), ["00001.parquet: missing"]),
    "a foreign part": (
        lambda folder: (folder / "part-ffffffff-00000.parquet").write_bytes(
            parts(folder)[0].read_bytes()
        ),
        ["part-ffffffff-00000.parquet: not in the manifest"],
    ),
    "a part that is a folder": (
        lambda folder: (parts(folder)[1].unlink(), parts_of(folder)[1].mkdir()),
        ["00001.parquet: missing"],
    ),
    "a wrong row count": (
        lambda folder: rewrite(folder, lambda document: document["parts"][0].update(rows=4)),
        [
            "00000.parquet: it has 5 rows, the manifest says 4",
            "the parts have 7 rows, scored were 8",
        ],
    ),
    "other columns": (
        lambda folder: rewrite(folder, lambda document: document.update(schema=[["row", "int64"]])),
        ["00000.parquet: its columns are not those", "00001.parquet: its columns are not those"],
    ),
    "a flipped bit in the manifest": (
        lambda folder: (folder / MANIFEST_NAME).write_text(
            (folder / MANIFEST_NAME).read_text().replace('"small"', '"smalm"')
        ),
        [f"{MANIFEST_NAME}: its content has changed"],
    ),
    "rows that were never quarantined": (
        lambda folder: rewrite(
            folder, lambda document: document.update(rows_in=9, rows_quarantined=1)
        ),
        ["the parts have 0 rows in quarantine, the manifest says 1"],
    ),
    "a foreign quarantine": (
        lambda folder: (folder / "_quarantine").mkdir(),
        ["_quarantine: not in the manifest"],
    ),
    "lost rows": (
        lambda folder: rewrite(folder, lambda document: document.update(rows_in=9)),
        ["9 rows in are not 8 scored + 0 quarantined"],
    ),
    "a part too few in the manifest": (
        lambda folder: rewrite(folder, lambda document: document["parts"].pop()),
        ["00001.parquet: not in the manifest", "the parts have 5 rows, scored were 8"],
    ),
}


def parts(folder):
    return sorted(folder.glob("part-*.parquet"))


def parts_of(folder):
    return [folder / part.name for part in read_manifest(folder).parts]


@pytest.mark.parametrize(("spoil", "problems"), FAULTS.values(), ids=FAULTS.keys())
def test_verifying_lists_everything_that_is_not_as_the_manifest_says(output, spoil, problems):
    spoil(output)
    found = verify_output(output)
    assert len(found) == len(problems)
    for sentence, words in zip(found, problems, strict=True):
        assert words in sentence


def test_every_flipped_bit_of_a_part_is_found(output):
    first = parts(output)[0]
    whole = first.read_bytes()
    for position in range(0, len(whole), 7):
        flip(first, position)
        assert verify_output(output) == [f"{first.name}: its content has changed"]
        first.write_bytes(whole)
    assert verify_output(output) == []


def test_what_was_never_committed_cannot_be_verified_or_read(tmp_path):
    for read in (verify_output, lambda folder: read_scores(folder, attempts=2)):
        with pytest.raises(RequestError, match="is no committed output"):
            read(tmp_path)


def test_a_manifest_with_a_flipped_bit_is_not_followed(output):
    (output / MANIFEST_NAME).write_text(
        (output / MANIFEST_NAME).read_text().replace('"small"', '"smalm"')
    )
    for read in (read_manifest, read_scores):
        with pytest.raises(RequestError, match="is damaged: its content is not what was written"):
            read(output)


def test_an_output_is_whole_while_every_part_has_its_size(output):
    manifest = read_manifest(output)
    assert is_whole(output, manifest)
    fewer = replace(manifest, parts=(replace(manifest.parts[0], size=4), manifest.parts[1]))
    assert not is_whole(output, fewer)
    parts(output)[0].write_bytes(b"")
    assert not is_whole(output, manifest)
    parts(output)[0].unlink()
    assert not is_whole(output, manifest)


def test_an_output_without_its_quarantine_is_not_whole(output):
    manifest = read_manifest(output)
    first = replace(manifest.parts[0], quarantined=1, quarantine_sha256="0" * 64)
    manifest = replace(manifest, parts=(first, *manifest.parts[1:]))
    assert not is_whole(output, manifest)
    (output / QUARANTINE).mkdir()
    (output / QUARANTINE / first.name).write_bytes(b"")
    assert is_whole(output, manifest)


def test_scores_are_read_in_the_order_of_the_input_whatever_else_lies_there(output):
    (output / "part-ffffffff-00000.parquet").write_bytes(parts(output)[0].read_bytes())
    scores = read_scores(output)
    assert scores["row"].to_pylist() == list(range(8))
    assert scores.column_names == ["row", "model_version"]


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path, write_output):
    folder = tmp_path / "day=2024-01-01" / "scores"
    (folder / MANIFEST_NAME).write_text(write_output(folder, version=1).to_json())
    assert read_scores(folder).column_names == ["row", "model_version"]


def test_a_part_that_stays_away_is_an_error_in_the_end(output):
    parts(output)[1].unlink()
    with pytest.raises(FileNotFoundError):
        read_scores(output, attempts=2)


def test_the_run_key_names_the_model_the_source_and_the_options():
    options = {"id": "a", "keep": ["b"]}
    key = make_run_key("m", "s", options)
    assert key == make_run_key("m", "s", {"keep": ["b"], "id": "a"})
    assert (
        len(
            {
                key,
                make_run_key("n", "s", options),
                make_run_key("m", "t", options),
                make_run_key("m", "s", {}),
            }
        )
        == 4
    )


def test_parts_of_two_runs_never_share_a_name_and_sort_by_number():
    names = [part_name("a" * 64, number) for number in range(100_000)]
    assert names[:99_999] == sorted(names[:99_999])
    assert not set(names) & {part_name("b" * 64, number) for number in range(10)}


def test_a_schema_is_described_by_names_and_types():
    schema = pa.schema([("id", pa.string()), ("at", pa.timestamp("us", "UTC"))])
    assert describe(schema) == (("id", "string"), ("at", "timestamp[us, tz=UTC]"))


def test_the_document_is_stable():
    empty = Manifest("m", 1, "d", "k", "s", (), (), (), 0, 0, 0, "f", 1)
    assert json.loads(empty.to_json())["format_version"] == 2
    assert list(json.loads(empty.to_json())) == sorted(json.loads(empty.to_json()))
