import json
import re
from dataclasses import replace

import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.output.manifest import (
    MANIFEST_NAME,
    Manifest,
    describe,
    make_run_key,
    part_name,
    read_manifest,
)
from tasks.core.output.reading import read_scores
from tasks.core.output.verify import verify_output


def test_a_manifest_survives_json(tmp_path, write_output):
    manifest = replace(write_output(tmp_path, version=3), window="2024-01-01")
    (tmp_path / MANIFEST_NAME).write_text(manifest.to_json())

    found = read_manifest(tmp_path)
    assert found == manifest
    assert found.to_json() == manifest.to_json()


@pytest.mark.parametrize("name", ["none", "file", "."])
def test_where_nothing_was_committed_there_is_no_manifest(tmp_path, name):
    (tmp_path / "file").write_text("x")

    assert read_manifest(tmp_path / name) is None


DAMAGED = {
    b"": "cannot be read",
    b"{": "cannot be read",
    b"\xff": "cannot be read",
    b"[]": "is of another format: this version reads format 2",
    b"{}": "is of another format",
    b'{"format_version": 1}': "is of another format",
    b'{"format_version": 2}': "is damaged",
    b'{"format_version": 2, "inputs": [], "parts": [{}], "schema": []}': "is damaged",
    b'{"format_version": 2, "inputs": [], "parts": [], "schema": [], "extra": 1}': "is damaged",
    b'{"format_version": 2, "inputs": [], "parts": [], "schema": [1]}': "is damaged",
}


@pytest.mark.parametrize(("content", "words"), DAMAGED.items())
def test_a_manifest_that_is_damaged_or_of_another_format_is_one_sentence(tmp_path, content, words):
    (tmp_path / MANIFEST_NAME).write_bytes(content)

    said = verify_output(tmp_path)
    for read in (read_manifest, read_scores):
        with pytest.raises(RequestError) as refused:
            read(tmp_path)
        said.append(str(refused.value))

    assert len(said) == 3
    for sentence in said:
        assert re.search(words, sentence)
        assert "\n" not in sentence
        assert MANIFEST_NAME in sentence


def test_a_manifest_with_a_flipped_bit_is_not_followed(tmp_path, write_scores):
    manifest = write_scores(tmp_path / "scores", 3) / MANIFEST_NAME
    content = manifest.read_text()
    manifest.write_text(content.replace('"small"', '"smalm"'))

    for read in (read_manifest, read_scores):
        with pytest.raises(RequestError, match="is damaged: its content is not what was written"):
            read(manifest.parent)


def test_the_run_key_names_the_model_the_source_and_the_options():
    options = {"id": "a", "keep": ["b"]}
    key = make_run_key("m", "s", options)
    assert make_run_key("m", "s", {"keep": ["b"], "id": "a"}) == key

    others = {
        make_run_key("n", "s", options),
        make_run_key("m", "t", options),
        make_run_key("m", "s", {}),
    }
    assert len(others) == 3
    assert key not in others


def test_parts_of_two_runs_never_share_a_name_and_sort_by_number():
    names = [part_name("a" * 64, number) for number in range(99_999)]
    assert names == sorted(names)

    others = {part_name("b" * 64, number) for number in range(10)}
    assert others.isdisjoint(names)


def test_a_schema_is_described_by_names_and_types():
    columns = {"id": pa.string(), "at": pa.timestamp("us", "UTC")}
    schema = pa.schema(columns)

    assert describe(schema) == (("id", "string"), ("at", "timestamp[us, tz=UTC]"))


def test_the_document_is_stable():
    empty = Manifest("m", 1, "d", "k", "s", (), (), (), 0, 0, 0, "f", 1)
    document = json.loads(empty.to_json())

    assert document["format_version"] == 2
    assert list(document) == sorted(document)


@pytest.mark.parametrize(
    "change",
    [
        {"folder": "../other"},
        {"folder": "/etc"},
        {"folder": ["a"]},
        {"parts": ["../part.parquet"]},
        {"parts": ["/etc/passwd"]},
        {"parts": ["a/b.parquet"]},
    ],
)
def test_a_manifest_that_leads_out_of_its_output_is_damaged(tmp_path, write_scores, change):
    """Anybody can write one with the right digest of itself."""
    output = write_scores(tmp_path / "scores", 3)
    manifest = read_manifest(output)
    parts = tuple(replace(manifest.parts[0], name=name) for name in change.pop("parts", ()))
    changed = replace(manifest, **change, **({"parts": parts} if parts else {}))
    (output / MANIFEST_NAME).write_text(changed.to_json(), encoding="utf-8")

    for read in (read_manifest, read_scores):
        with pytest.raises(RequestError, match="is damaged"):
            read(output)
