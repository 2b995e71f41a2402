"""A source that is swapped for another and put back, at any moment of a run or between two."""

import hashlib
import os
import random
import shutil
import uuid
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import AfterfitError, SourceChangedError
from tasks.core.model.scorer import Scored, columns_read
from tasks.core.output.folder import FolderOutput
from tasks.core.output.reading import read_scores
from tasks.core.output.staging import reusable_parts
from tasks.core.output.verify import verify_output
from tasks.core.scoring.changes import refuse_changes
from tasks.core.scoring.piece import score_piece
from tasks.core.scoring.plan import Planned, plan_source
from tasks.core.scoring.run import name_run
from tasks.core.scoring.summary import Attempt, make_manifest
from tasks.core.storage.files import open_unbuffered, write_whole
from tasks.core.storage.location import open_filesystem
from tasks.core.tables import csv_copy
from tasks.core.tables.csv_copy import PROBLEM
from tasks.core.tables.inputs import InputHasher
from tasks.core.tables.listing import list_source
from tasks.core.tables.open_files import LocalFile, StoredFile
from tasks.core.tables.reader import Reader
from tasks.core.tables.sources import check_unchanged

ROWS = 100
PIECE_ROWS = 20
VALUES = {"A": 1000, "B": 5000}  # the first value of each file
TIMES = (10**18, 10**18)  # of the last access and the last change of each file, in ns


def table_of(which):
    values = [float(VALUES[which] + row) for row in range(ROWS)]
    return pa.table({"id": range(ROWS), "x": values})


def write_table(which, path):
    """Write a table; both files have one size and one time, and in Parquet one footer."""
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table_of(which), path)
    else:
        pq.write_table(
            table_of(which),
            path,
            row_group_size=PIECE_ROWS // 2,
            compression="none",
            use_dictionary=False,
            write_statistics=False,
        )
    os.utime(path, ns=TIMES)


def write_bytes(path, content):
    path.write_bytes(content)
    os.utime(path, ns=TIMES)


def predictions_of(which):
    return [2 * value for value in table_of(which)["x"].to_pylist()]


class Moments:
    """The moments of a run, counted; at some of them something happens."""

    def __init__(self):
        self.count = 0
        self.actions = {}

    def tick(self):
        action = self.actions.pop(self.count, None)
        self.count += 1
        if action:
            action()

    def around(self, function):
        """Return a function with a moment before it and one after it."""

        def disturbed(*given, **named):
            self.tick()
            found = function(*given, **named)
            self.tick()
            return found

        return disturbed

    def between(self, iterate):
        """Return an iterator with a moment after each item."""

        def disturbed(*given):
            for item in iterate(*given):
                yield item
                self.tick()

        return disturbed

    def hook(self, monkeypatch):
        """Put moments around all that opens, reads and checks a source."""
        for owner, name in [
            (LocalFile, "__init__"),
            (LocalFile, "is_still"),
            (StoredFile, "__init__"),
            (StoredFile, "is_still"),
            (Reader, "_take"),
        ]:
            monkeypatch.setattr(owner, name, self.around(getattr(owner, name)))
        monkeypatch.setattr(csv_copy, "iterate_csv", self.between(csv_copy.iterate_csv))


class LocalSource:
    """A file of this machine that is A or B; `how` it is swapped for the other."""

    def __init__(self, folder, ending, how):
        self.path = folder / "in" / f"table{ending}"
        self._how = how
        self._a = folder / f"A{ending}"
        self._b = folder / f"B{ending}"
        self._away = folder / "away"
        self._is_swapped = False
        self.path.parent.mkdir()
        for which, path in (("A", self._a), ("B", self._b)):
            write_table(which, path)
        self.contents = {content_of(self._a): "A", content_of(self._b): "B"}
        self._place()

    def _place(self):
        if self._how == "link":
            self.path.symlink_to(self._a)
        else:
            write_bytes(self.path, self._a.read_bytes())
        if self._how == "folder":
            self._away.mkdir()
            write_bytes(self._away / self.path.name, self._b.read_bytes())

    @property
    def location(self):
        return str(self.path)

    def swap(self):
        self._is_swapped = True
        self._change(self._b)

    def put_back(self):
        if self._is_swapped:
            self._change(self._a)
        self._is_swapped = False

    def _change(self, file):
        getattr(self, f"_{self._how}")(file)

    def _rename(self, _):
        self.path.rename(self._away)
        self._b.rename(self.path)
        self._away.rename(self._b)

    def _folder(self, _):
        aside = self._away.with_name("aside")
        self.path.parent.rename(aside)
        self._away.rename(self.path.parent)
        aside.rename(self._away)

    def _link(self, file):
        link = self._away
        link.symlink_to(file)
        link.rename(self.path)

    def _write(self, file):
        write_bytes(self.path, file.read_bytes())

    def _cut(self, file):
        content = self._a.read_bytes()
        write_bytes(self.path, content if file == self._a else content[: len(content) // 2])


class StoredSource:
    """An object that is A or B."""

    def __init__(self, folder, ending, root):
        self.location = f"{root}/table{ending}"
        self.contents = {}
        self._files = {}
        for which in "AB":
            path = folder / f"{which}{ending}"
            write_table(which, path)
            self._files[which] = path.read_bytes()
            self.contents[content_of(path)] = which
        self._put("A")

    def swap(self):
        self._put("B")

    def put_back(self):
        self._put("A")

    def _put(self, which):
        write_whole(self.location, self._files[which])
        filesystem, path = open_filesystem(self.location)
        filesystem.invalidate_cache()
        stamp = filesystem.info(path).get("ETag") or filesystem.modified(path)
        self.contents[f"store:{stamp}"] = which


def content_of(path):
    return f"sha256:{hashlib.sha256(Path(path).read_bytes()).hexdigest()}"


class Doubler:
    """A model that doubles, so that a score tells which file it was made from."""

    predictor = SimpleNamespace(scored_by="doubling", note="")

    def score(self, table, _first_row):
        versions = pa.array([1] * len(table), pa.int32())
        doubled = pc.multiply(table["x"], 2.0)
        columns = {"id": table["id"], "prediction": doubled, "model_version": versions}
        return Scored(pa.table(columns))


SCORERS = SimpleNamespace(get=lambda *_: Doubler())


class Scoring:
    """Runs over one source, each step after the other, in the order of the flow."""

    def __init__(self, source, folder, model, metadata, moments):
        self.source = source
        self.output = folder / "out"
        self.moments = moments
        self._model = model
        self._metadata = metadata

    def count_moments(self, *, hash_first):
        """Return how many moments an undisturbed run has; it leaves no output."""
        before = self.moments.count
        self.run(hash_first=hash_first)
        count = self.moments.count - before
        shutil.rmtree(self.output)
        self.moments.count = 0
        return count

    def run(self, *, hash_first=True):
        """Score the source; return the manifest."""
        self.moments.tick()
        source = list_source(self.source.location)
        run = name_run(self._model, self._metadata, source, str(self.output))
        place = FolderOutput(str(self.output))
        hasher = InputHasher(self.moments.around(open_unbuffered))
        with (
            place.locked(),
            place.stage(run.destination.run_key) as staging,
            refuse_changes(source.files, staging),
            closing(hasher),
        ):
            planned = self._plan(run, source, staging)
            inputs = hasher.begin(source.files).result() if hash_first else ()
            parts = self._score_pieces(planned, staging)
            inputs = inputs or hasher.begin(source.files).result()

            attempt = Attempt("", 1, None, staging.folder)
            manifest = make_manifest(planned, source.identity, inputs, parts, staging, attempt)
            check_unchanged(source.files)
            place.commit(manifest, staging)

        self.moments.tick()
        return manifest

    def _plan(self, run, source, staging):
        run, plan = plan_source(run, source, self._metadata, Path(staging.tables))
        names = plan.part_names(run.destination.run_key)
        return Planned(run, plan, reusable_parts(staging, plan.pieces, names))

    def _score_pieces(self, planned, staging):
        columns = columns_read(self._metadata.features, planned.run.options.columns)
        if planned.plan.pieces[0].slices[0].is_copied:
            columns.append(PROBLEM)

        parts = []
        with closing(Reader(columns)) as reader:
            for piece in planned.plan.pieces:
                self.moments.tick()
                parts.append(score_piece(piece, planned.run, staging, reader, SCORERS))
        return parts

    def check(self, manifest):
        """Hold that the scores are those of the file whose content the manifest names.

        Return the name of that file.
        """
        which = self.source.contents[manifest.inputs[0].content]
        assert read_scores(self.output)["prediction"].to_pylist() == predictions_of(which)
        assert verify_output(self.output) == []
        return which


@pytest.fixture
def scoring(tmp_path, monkeypatch, make_card, model):
    """Return the runs over a source."""
    monkeypatch.setattr("tasks.core.tables.pieces.PIECE_ROWS", PIECE_ROWS)
    schema = pa.schema([("id", pa.int64()), ("x", pa.float64()), ("y", pa.float64())])
    metadata = make_card(schema, data={"source": "/in", "target": "y", "id": "id"})
    moments = Moments()
    moments.hook(monkeypatch)
    return lambda source: Scoring(source, tmp_path, model, metadata, moments)


def swap_and_put_back(scoring, seed):
    """Swap the source at one moment and put it back at a later one, perhaps after the run.

    The run is refused, or right; then the same run again is right.
    """
    chance = random.Random(seed)  # noqa: S311 - test data
    hash_first = chance.random() < 0.5
    count = scoring.count_moments(hash_first=hash_first)
    swapped = chance.randrange(count)
    put_back = chance.randrange(swapped + 1, count + 1)
    source = scoring.source
    scoring.moments.actions = {swapped: source.swap, put_back: source.put_back}

    with suppress(AfterfitError, OSError):
        scoring.check(scoring.run(hash_first=hash_first))

    scoring.moments.actions = {}
    source.put_back()
    assert scoring.check(scoring.run()) == "A"


LOCAL = ("rename", "folder", "link", "write", "cut")
each_ending = pytest.mark.parametrize("ending", [".parquet", ".csv"])


@each_ending
@pytest.mark.parametrize("how", LOCAL)
@pytest.mark.parametrize("seed", range(3))
def test_a_file_that_is_swapped_under_a_run_is_refused_or_scored_right(
    scoring, tmp_path, settled, how, ending, seed
):
    """Its name, the folder or the link that leads to it, or its content; the times are kept."""
    runs = scoring(LocalSource(tmp_path, ending, how))
    settled()
    swap_and_put_back(runs, f"{how} {ending} {seed}")


@each_ending
@pytest.mark.parametrize("seed", range(5))
def test_an_object_that_is_swapped_under_a_run_is_refused_or_scored_right(
    scoring, tmp_path, ending, seed
):
    source = StoredSource(tmp_path, ending, f"memory://{uuid.uuid4().hex}")
    swap_and_put_back(scoring(source), f"memory {ending} {seed}")


@each_ending
@pytest.mark.parametrize("seed", range(3))
def test_an_object_that_is_swapped_on_s3_is_refused_or_scored_right(
    scoring, tmp_path, s3, ending, seed
):
    source = StoredSource(tmp_path, ending, f"{s3}/{uuid.uuid4().hex}")
    swap_and_put_back(scoring(source), f"s3 {ending} {seed}")


def die():
    raise KeyboardInterrupt


@each_ending
@pytest.mark.parametrize("how", ["rename", "folder", "link", "write"])
def test_what_was_read_from_another_file_before_a_run_died_is_not_reused(
    scoring, tmp_path, settled, how, ending
):
    """Both Parquet files have one size, one footer and one time: they give one run key."""
    source = LocalSource(tmp_path, ending, how)
    runs = scoring(source)
    last = runs.count_moments(hash_first=True) - 4
    source.swap()
    settled()

    runs.moments.actions = {last: die}
    with suppress(KeyboardInterrupt):
        runs.run()
    records = list((tmp_path / ".out.afterfit-staging").rglob("part-*.json"))
    assert len(records) >= ROWS // PIECE_ROWS - 1

    source.put_back()
    assert runs.check(runs.run()) == "A"


@each_ending
@pytest.mark.parametrize("how", LOCAL)
def test_a_run_whose_source_changed_keeps_no_part(scoring, tmp_path, settled, how, ending):
    source = LocalSource(tmp_path, ending, how)
    runs = scoring(source)
    last = runs.count_moments(hash_first=True) - 4
    settled()

    runs.moments.actions = {last: source.swap}
    with pytest.raises(
        SourceChangedError, match=rf"table\{ending} changed while it was being read"
    ):
        runs.run()
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / ".out.afterfit-staging").exists()
