import json
from dataclasses import replace

import pytest

from tasks.core.errors import RequestError
from tasks.core.output.manifest import MANIFEST_NAME, QUARANTINE, read_manifest
from tasks.core.output.verify import is_whole, verify_output
from tasks.core.storage.digests import digest_of


@pytest.fixture
def output(tmp_path, write_scores):
    """An output of 5 and 3 rows, with its manifest."""
    return write_scores(tmp_path / "scores", 3)


def parts_in(folder):
    return sorted(folder.glob("part-*.parquet"))


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def flip_first_part(folder):
    flip(parts_in(folder)[0], 40)


def delete_second_part(folder):
    parts_in(folder)[1].unlink()


def make_second_part_a_folder(folder):
    second = parts_in(folder)[1]
    second.unlink()
    second.mkdir()


def add_foreign_part(folder):
    content = parts_in(folder)[0].read_bytes()
    (folder / "part-ffffffff-00000.parquet").write_bytes(content)


def add_quarantine(folder):
    (folder / QUARANTINE).mkdir()


def change_manifest_without_its_digest(folder):
    manifest = folder / MANIFEST_NAME
    content = manifest.read_text()
    manifest.write_text(content.replace('"small"', '"smalm"'))


def rewrite(**changes):
    """Change a manifest, digest and all, as somebody does who means to."""

    def change(folder):
        manifest = folder / MANIFEST_NAME
        document = {**json.loads(manifest.read_text()), **changes}
        document.pop("digest")
        document["digest"] = digest_of(document)
        manifest.write_text(json.dumps(document))

    return change


def read_parts(folder):
    document = json.loads((folder / MANIFEST_NAME).read_text())
    return document["parts"]


def count_rows_wrongly(folder):
    first, second = read_parts(folder)
    first["rows"] = 4
    change = rewrite(parts=[first, second])
    change(folder)


def leave_out_second_part(folder):
    first, _second = read_parts(folder)
    change = rewrite(parts=[first])
    change(folder)


FAULTS = {
    "nothing": (lambda _: None, []),
    "a flipped bit": (flip_first_part, ["00000.parquet: its content has changed"]),
    "a missing part": (delete_second_part, ["00001.parquet: missing"]),
    "a foreign part": (add_foreign_part, ["part-ffffffff-00000.parquet: not in the manifest"]),
    "a part that is a folder": (make_second_part_a_folder, ["00001.parquet: missing"]),
    "a wrong row count": (
        count_rows_wrongly,
        [
            "00000.parquet: it has 5 rows, the manifest says 4",
            "the parts have 7 rows, scored were 8",
        ],
    ),
    "other columns": (
        rewrite(schema=[["row", "int64"]]),
        ["00000.parquet: its columns are not those", "00001.parquet: its columns are not those"],
    ),
    "a flipped bit in the manifest": (
        change_manifest_without_its_digest,
        [f"{MANIFEST_NAME}: its content has changed"],
    ),
    "rows that were never quarantined": (
        rewrite(rows_in=9, rows_quarantined=1),
        ["the parts have 0 rows in quarantine, the manifest says 1"],
    ),
    "a foreign quarantine": (add_quarantine, ["_quarantine: not in the manifest"]),
    "lost rows": (rewrite(rows_in=9), ["9 rows in are not 8 scored + 0 quarantined"]),
    "a part too few in the manifest": (
        leave_out_second_part,
        ["00001.parquet: not in the manifest", "the parts have 5 rows, scored were 8"],
    ),
}


@pytest.mark.parametrize(("spoil", "problems"), FAULTS.values(), ids=FAULTS)
def test_verifying_lists_everything_that_is_not_as_the_manifest_says(output, spoil, problems):
    spoil(output)
    found = verify_output(output)

    assert len(found) == len(problems)
    for sentence, words in zip(found, problems, strict=True):
        assert words in sentence


def test_every_flipped_bit_of_a_part_is_found(output):
    first = parts_in(output)[0]
    whole = first.read_bytes()

    for position in range(0, len(whole), 7):
        flip(first, position)
        assert verify_output(output) == [f"{first.name}: its content has changed"]
        first.write_bytes(whole)

    assert verify_output(output) == []


def test_what_was_never_committed_cannot_be_verified(tmp_path):
    with pytest.raises(RequestError, match="is no committed output"):
        verify_output(tmp_path)


def test_an_output_is_whole_while_every_part_has_its_size(output):
    manifest = read_manifest(output)
    assert is_whole(output, manifest)

    first, second = manifest.parts
    smaller = replace(first, size=4)
    other = replace(manifest, parts=(smaller, second))
    assert not is_whole(output, other)

    file = output / first.name
    file.write_bytes(b"")
    assert not is_whole(output, manifest)
    file.unlink()
    assert not is_whole(output, manifest)


def test_an_output_without_its_quarantine_is_not_whole(output):
    manifest = read_manifest(output)
    first, second = manifest.parts
    first = replace(first, quarantined=1, quarantine_sha256="0" * 64)
    manifest = replace(manifest, parts=(first, second))
    assert not is_whole(output, manifest)

    quarantine = output / QUARANTINE
    quarantine.mkdir()
    (quarantine / first.name).write_bytes(b"")
    assert is_whole(output, manifest)
