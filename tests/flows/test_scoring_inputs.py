"""Batch scoring of sources that are damaged, strange, or change under the run."""

import gzip
import hashlib
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from flows import scoring
from flows.scoring import score_batch
from tasks import score
from tasks.core.errors import AfterfitError, RequestError, SourceChangedError
from tasks.core.model.predictor import KERNEL, KERNEL_ROWS, LIBRARY
from tasks.core.output.manifest import QUARANTINE, read_manifest
from tasks.core.output.reading import read_scores

HEADER = "id,size,count,region\n"


@pytest.fixture
def folder(tmp_path, rows):
    """A source of twenty files of ten rows, and the place of an output beside it."""
    (tmp_path / "in").mkdir()
    for number in range(20):
        pq.write_table(rows(10, first_id=10 * number), tmp_path / "in" / f"{number:02d}.parquet")
    return tmp_path / "in"


@pytest.mark.parametrize("pieces", [1, 2])
def test_many_rows_are_scored_by_the_kernel_and_the_manifest_says_so(
    champion, make_source, tmp_path, pieces
):
    source = make_source(pieces)
    score_batch(champion, str(source.path), str(tmp_path / "out"))
    manifest = read_manifest(tmp_path / "out")
    scored_by = KERNEL if len(source.ids) >= KERNEL_ROWS else LIBRARY
    assert scored_by == {1: LIBRARY, 2: KERNEL}[pieces]
    assert {part.scored_by for part in manifest.parts} == {scored_by}
    assert f"{len(source.ids):,} rows scored by {scored_by}" in manifest.notes


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda whole: whole[:-100], "is not a whole Parquet file"),
        (lambda _: b"", "is not a whole Parquet file"),
        (lambda whole: whole[: len(whole) // 2] + whole[-8:], "cannot be read as Parquet"),
        (lambda _: b"PAR1" + b"\xff" * 60 + b"PAR1", "cannot be read as Parquet"),
    ],
    ids=["cut off", "empty", "without its middle", "a false footer"],
)
def test_one_damaged_file_among_twenty_is_named_before_anything_is_scored(
    champion, folder, laws, spoil, words
):
    damaged = folder / "13.parquet"
    damaged.write_bytes(spoil(damaged.read_bytes()))
    with pytest.raises(RequestError, match=rf"13\.parquet {words}"):
        score_batch(champion, str(folder), str(folder.parent / "out"))
    laws.unchanged(folder.parent / "out")
    assert sorted(path.name for path in folder.parent.iterdir()) == ["in"]


def test_a_flipped_bit_under_a_page_checksum_fails_the_run_with_its_file(
    champion, folder, rows, laws
):
    """Whoever writes page checksums is told of the flipped bit.

    So is anybody whose pages do not decompress any more.
    """
    path = folder / "13.parquet"
    pq.write_table(
        rows(10, first_id=130),
        path,
        compression="none",
        use_dictionary=False,
        write_page_checksum=True,
    )
    flip(path)
    with pytest.raises(AfterfitError, match=r"in/.*\.parquet, rows 0 to 9.*(checksum|CRC)"):
        score_batch(champion, str(folder), str(folder.parent / "out"))
    laws.unchanged(folder.parent / "out")


def test_a_flipped_bit_without_a_checksum_is_scored_as_it_stands_and_written_down(
    champion, folder, rows, laws
):
    """Nobody can know that it is another value.

    But the manifest has the digest of what was read.
    """
    path = folder / "13.parquet"
    pq.write_table(rows(10, first_id=130), path, compression="none", use_dictionary=False)
    undamaged = hashlib.sha256(path.read_bytes()).hexdigest()
    flip(path)
    score_batch(champion, str(folder), str(folder.parent / "out"))
    laws.alone(folder.parent / "out", np.arange(200))
    content = {
        Path(item.path).name: item.content for item in read_manifest(folder.parent / "out").inputs
    }
    assert (
        content["13.parquet"]
        == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        != f"sha256:{undamaged}"
    )


def flip(path):
    """Flip one bit of a value in the middle of the first column but one."""
    content = bytearray(path.read_bytes())
    chunk = pq.read_metadata(path).row_group(0).column(1)
    content[chunk.data_page_offset + chunk.total_compressed_size - 9] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("moment", "change"),
    [
        ("before the plan", "fewer rows"),
        ("before the plan", "gone"),
        ("before it is read", "other values"),
        ("before it is read", "fewer rows"),
        ("after it is read", "other values"),
        ("after it is read", "gone"),
    ],
)
def test_a_file_that_changes_under_a_run_fails_it(
    champion, folder, rows, laws, monkeypatch, moment, change
):
    """It may change at any moment between its listing and the commit.

    The error names it, and nothing is committed.
    """
    path, output = folder / "13.parquet", folder.parent / "out"
    owner, name = {
        "before the plan": (scoring, "plan_scoring"),
        "before it is read": (score, "score_piece"),
        "after it is read": (scoring, "commit_scores"),
    }[moment]
    undisturbed = getattr(owner, name)

    def disturbed(*arguments):
        changed = rows(3 if change == "fewer rows" else 10, first_id=777)
        path.unlink() if change == "gone" else pq.write_table(changed, path)
        return undisturbed(*arguments)

    monkeypatch.setattr(owner, name, disturbed)
    with pytest.raises(AfterfitError, match=r"13\.parquet"):
        score_batch(champion, str(folder), str(output))
    laws.unchanged(output)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_file_that_is_swapped_and_put_back_fails_the_run_and_no_part_of_it_is_reused(
    champion, tmp_path, rows, laws, monkeypatch, kind
):
    """While pieces are read, another file of the same rows has its name."""
    source, other, aside = (tmp_path / f"{name}.{kind}" for name in ("in", "other", "aside"))
    write = {"parquet": pq.write_table, "csv": pyarrow.csv.write_csv}[kind]
    table = rows(10)
    write(table, source)
    write(table.set_column(1, "size", pc.add(table["size"], 1.0)), other)
    expected = tmp_path / "expected"
    score_batch(champion, str(source), str(expected))
    plan, commit = scoring.plan_scoring, scoring.commit_scores

    def exchange():
        source.rename(aside)
        other.rename(source)
        aside.rename(other)

    def plan_swapped(*arguments):
        exchange()
        return plan(*arguments)

    def commit_put_back(*arguments):
        exchange()
        return commit(*arguments)

    output = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(scoring, "plan_scoring", plan_swapped)
        patched.setattr(scoring, "commit_scores", commit_put_back)
        with pytest.raises(SourceChangedError, match=rf"in\.{kind} changed while"):
            score_batch(champion, str(source), str(output))
    assert not output.exists()
    assert not (tmp_path / ".out.afterfit-staging").exists()

    exchange()
    assert score_batch(champion, str(source), str(output)).rows_reused == 0
    assert read_scores(output).equals(read_scores(expected))
    assert not read_scores(output)["prediction"].equals(scores_of(champion, other, tmp_path))


def scores_of(model, source, folder):
    output = folder / "others"
    score_batch(model, str(source), str(output))
    return read_scores(output)["prediction"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop_columns(["size"]), "column 'size' is missing"),
        (lambda t: t.rename_columns(["id", "Size", "count", "region"]), "column 'size' is missing"),
        (
            lambda t: t.set_column(1, "size", pc.cast(t["size"], "string")),
            "column 'size' is string",
        ),
        (lambda t: t.set_column(3, "region", t["count"]), "column 'region' is int64"),
        (lambda t: t.drop_columns(["id"]), "column 'id' is missing"),
        (lambda t: t.set_column(0, "id", pc.cast(t["id"], "string")), "column 'id' is string"),
    ],
    ids=[
        "missing",
        "renamed in case",
        "text for a number",
        "number for a text",
        "no id",
        "another id",
    ],
)
def test_a_file_among_twenty_that_lacks_a_column_or_has_another_type_is_refused(
    champion, folder, laws, change, words
):
    path = folder / "13.parquet"
    pq.write_table(change(pq.read_table(path)), path)
    with pytest.raises(RequestError, match=rf"13\.parquet: {words}"):
        score_batch(champion, str(folder), str(folder.parent / "out"))
    laws.unchanged(folder.parent / "out")


def test_files_with_more_columns_in_another_order_and_of_narrower_types_score_the_same(
    champion, folder, laws
):
    """The manifest also notes the columns that nobody asked for."""
    output = folder.parent / "out"
    score_batch(champion, str(folder), str(output))
    expected = read_scores(output)
    changed = pq.read_table(folder / "13.parquet").select(["region", "count", "size", "id"])
    changed = changed.append_column("🌧", pa.nulls(10)).set_column(
        1, "count", pc.cast(changed["count"], "int8")
    )
    pq.write_table(changed, folder / "13.parquet")
    score_batch(champion, str(folder), str(output), replace=True)
    laws.alone(output, np.arange(200))
    assert read_scores(output).equals(expected)
    assert any(
        "column '🌧'" in note and "13.parquet is not read" in note
        for note in read_manifest(output).notes
    )


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        ("champion", {5: "missing_id"}),
        ("slow_champion", {1: "infinite_value", 2: "infinite_value", 5: "missing_id"}),
    ],
    ids=["trees that take infinity", "a scaler that does not"],
)
def test_strange_values_are_scored_counted_or_kept_apart_with_a_reason(
    request, tmp_path, laws, model, reasons
):
    """NaN, gaps, 1e308 and unknown categories are scored.

    What the model refuses, and rows without an id, are not.
    """
    name = request.getfixturevalue(model)
    sizes = [float("nan"), float("inf"), -float("inf"), 1e308, None, 0.5, 0.5]
    regions = pa.array([None, "north", "north", "north", None, "north", "Atlantis"])
    table = pa.table(
        {"id": [0, 1, 2, 3, 4, None, 6], "size": sizes, "count": pa.nulls(7), "region": regions}
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    source, output = str(tmp_path / "rows.parquet"), tmp_path / "out"
    with pytest.raises(
        AfterfitError, match=rf"{len(reasons)} rows? cannot be scored, {len(reasons) - 1} may be"
    ):
        score_batch(name, source, str(output), max_bad_rows=len(reasons) - 1)
    laws.unchanged(output)
    done = score_batch(name, source, str(output), max_bad_rows=len(reasons))
    assert (done.rows_in, done.rows_scored, done.rows_quarantined) == (
        7,
        7 - len(reasons),
        len(reasons),
    )
    kept_apart = pq.read_table(next((output / QUARANTINE).iterdir()))
    found = zip(kept_apart["input_row"].to_pylist(), kept_apart["reason"].to_pylist(), strict=True)
    assert dict(found) == reasons
    scored = [row for row in range(7) if row not in reasons]
    assert read_scores(output)["id"].to_pylist() == scored
    assert np.isfinite(read_scores(output)["prediction"].to_numpy()).all()
    assert "column 'region': 1 value in no category the model knows" in read_manifest(output).notes


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("no.parquet", None, "nothing to read"),
        ("no.csv", b"", "is empty"),
        ("header.csv", HEADER.encode(), "there are no rows to score"),
        ("ragged.csv", f"{HEADER}1,2,3,north\n2,2,3\n".encode(), "line 3, byte 33"),
        ("quote.csv", f'{HEADER}1,2,3,"north\n2,2,3,south\n'.encode(), "never closed|line 2"),
        ("nul.csv", f"{HEADER}1,2,3,no\0rth\n".encode(), "NUL"),
        ("twice.csv", b"id,size,size,count,region\n1,2,2,3,north\n", "'size' occurs twice"),
        ("latin.csv", f"{HEADER}1,2,3,München\n".encode("latin-1"), "UTF-8"),
        ("utf16.csv", f"{HEADER}1,2,3,north\n".encode("utf-16"), "UTF-8"),
        ("cut.csv.gz", gzip.compress((HEADER + "1,2,3,north\n" * 99).encode())[:-9], "cut.csv.gz"),
        ("twins.csv", f"{HEADER}1,2,3,north\n1,2,3,north\n".encode(), "The id '1' occurs twice"),
    ],
)
def test_a_table_that_cannot_be_read_without_loss_is_refused_with_its_name_and_place(
    champion, tmp_path, laws, name, content, words
):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AfterfitError, match=words):
        score_batch(champion, str(tmp_path / name), str(tmp_path / "out"))
    laws.unchanged(tmp_path / "out")


def test_ids_of_a_csv_file_come_out_as_they_were_written(champion, tmp_path):
    """Ids are told apart, and not a character of them is changed.

    There are zeros in front, numbers beyond 2**53, twins of Unicode, and emoji. The file's own name
    is kept too, whatever is in it. A byte order mark and 10,000 more columns do no harm.
    """
    twins = [unicodedata.normalize(form, "é") for form in ("NFC", "NFD")]
    ids = [
        "007",
        "7",
        "9007199254740993",
        "9007199254740992",
        *twins,
        "🌧",
        "שלם",
        "NA",
        " 7",
        "=1+1",
    ]
    more = [f"c{number}" for number in range(10_000)]
    lines = [",".join(["id", "size", "count", "region", *more])]
    lines += [",".join([id_, "0.5", "3", "north", *("1" for _ in more)]) for id_ in ids]
    name = "🌧 \u202eשלם\n%s[0]" + "n" * 220
    name = name.encode()[:251].decode(errors="ignore") + ".csv"
    (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    score_batch(champion, str(tmp_path / name), str(tmp_path / "out"))
    assert read_scores(tmp_path / "out")["id"].to_pylist() == ids
