"""Fixtures: places for outputs, and runs that commit, fail or are killed there."""

import uuid
from collections.abc import Callable
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tasks.core.output.manifest import (
    MANIFEST_NAME,
    QUARANTINE,
    RUNS,
    Manifest,
    parts_folder,
    read_manifest,
)
from tasks.core.output.open import open_folder, open_output
from tasks.core.output.protocol import Output
from tasks.core.output.reading import read_scores
from tasks.core.output.verify import is_whole, verify_output
from tasks.core.storage.files import list_sizes, read_whole, write_whole
from tasks.core.storage.location import join, last_name

ROWS = 8
KEY = "k" * 64
PART = "part-kkkkkkkk-00000.parquet"


@dataclass(frozen=True)
class Scores:
    """The scores of one run, as its workers write them."""

    manifest: Manifest
    folder: Path

    @property
    def run_key(self):
        return self.manifest.run_key

    def write_to(self, staging):
        """Write the parts with their records, and return the manifest that commits them."""
        for name in self.manifest.scored_names:
            content = (self.folder / name).read_bytes()
            write_whole(join(staging.parts, name), content)
            write_whole(join(staging.records, f"{name}.json"), b"{}")

        return replace(self.manifest, folder=staging.folder)


def files_of(staging, name):
    """Name the files of a part: its scores, its quarantine, and its record."""
    return [
        join(staging.parts, name),
        join(staging.parts, QUARANTINE, name),
        join(staging.records, f"{name}.json"),
    ]


@dataclass(frozen=True)
class Place:
    """Where an output will be, and what runs do there.

    `open_at` opens the output, as each run does when it begins.
    """

    location: str
    make_scores: Callable[[int], Scores]
    open_at: Callable[[str], Output] = open_output

    def open(self):
        return self.open_at(self.location)

    @contextmanager
    def run(self, run_key=KEY):
        """Hold the output and begin an attempt, as a run does; yield the output and its staging."""
        output = self.open()
        with output.locked(), output.stage(run_key) as staging:
            yield output, staging

    def publish(self, version, output=None):
        """Commit the scores of one version, by default in a run that begins now."""
        output = output or self.open()
        scores = self.make_scores(version)

        with output.locked(), output.stage(scores.run_key) as staging:
            manifest = scores.write_to(staging)
            output.commit(manifest, staging)

    def fail(self, run_key=KEY, name=PART, content=b"x"):
        """Let an attempt finish one part and fail; return where it wrote."""
        with suppress(KeyboardInterrupt), self.run(run_key) as (_, staging):
            self.finish(staging, name, content)
            raise KeyboardInterrupt
        return staging

    @staticmethod
    def finish(staging, name=PART, content=b"x"):
        """Finish a part: its file, its quarantine, and its record last."""
        for file in files_of(staging, name):
            write_whole(file, content)

    @staticmethod
    def read_finished(staging, name=PART):
        """Read the files of a finished part, which all have the same content here."""
        (content,) = {read_whole(file) for file in files_of(staging, name)}
        return content

    @property
    def manifest(self):
        return read_manifest(self.location)

    @property
    def parts(self):
        """The folder of the committed parts."""
        return parts_folder(self.location, self.manifest)

    @property
    def scores(self):
        return read_scores(self.location).to_pydict()

    @staticmethod
    def scores_of(version):
        return {"row": list(range(ROWS)), "model_version": [version] * ROWS}

    @property
    def version(self):
        """The version in every row of the committed scores."""
        (version,) = set(self.scores["model_version"])
        return version

    @property
    def problems(self):
        return verify_output(self.location)

    def names(self, *below):
        """List what lies below the output, or in a folder of it."""
        return set(list_sizes(join(self.location, *below)))

    def neighbours(self):
        """List what lies beside the output, and the output itself."""
        above = self.location.rpartition("/")[0]
        return list(list_sizes(above))

    def read_all(self):
        """Read every byte of the committed output."""
        files = [join(self.parts, name) for name in self.manifest.scored_names]
        files.append(join(self.location, MANIFEST_NAME))
        return [read_whole(file) for file in files]

    def assert_holds(self, version):
        """The output is whole, and all of it has this version."""
        assert self.problems == []
        assert is_whole(self.location, self.manifest)
        assert self.scores == self.scores_of(version)

    def assert_alone(self):
        """There is the committed output, and nothing else: neither beside nor below it."""
        name = last_name(self.location)
        assert self.neighbours() == [name]

        manifest = self.manifest
        parts = set(manifest.scored_names)
        if manifest.folder:
            assert self.names() == {MANIFEST_NAME, RUNS}
            assert self.names(RUNS) == {last_name(manifest.folder)}
            assert self.names(manifest.folder) == parts
        else:
            assert self.names() == {MANIFEST_NAME, *parts}


@pytest.fixture
def write_scores(write_output):
    """Write the scores of one version to a folder, with their manifest."""

    def write(folder, version):
        manifest = write_output(folder, version)
        (folder / MANIFEST_NAME).write_text(manifest.to_json())
        return folder

    return write


@pytest.fixture
def make_scores(tmp_path_factory, write_output):
    """Make the scores of a run, whose model has this version."""

    def make(version):
        folder = tmp_path_factory.mktemp("scores")
        manifest = write_output(folder, version)
        return Scores(manifest, folder)

    return make


@pytest.fixture
def begin():
    """Begin an attempt that does not end during the test, as if it were killed."""
    with ExitStack() as attempts:
        yield lambda output, run_key: attempts.enter_context(output.stage(run_key))


def open_without_exchange(location):
    """Open a folder as on a system that cannot exchange two folders."""
    return replace(open_folder(location), exchange=lambda _one, _other: False)


def url_of(request, kind):
    root = "memory:/"
    if kind == "s3":
        root = request.getfixturevalue("s3")
    unique = uuid.uuid4().hex
    return f"{root}/{unique}/scores"


@pytest.fixture(params=["memory", "s3"])
def url(request):
    """The URL of an output that is empty yet: in memory, or on a real S3 server."""
    return url_of(request, request.param)


@pytest.fixture
def store(url, make_scores):
    """A place on an object store."""
    return Place(url, make_scores)


@pytest.fixture
def folder(tmp_path, make_scores):
    """A place in a folder of this machine."""
    return Place(str(tmp_path / "scores"), make_scores)


@pytest.fixture(params=["folder", "folder-two-renames", "memory", "s3"])
def place(request, make_scores):
    """A place for an output, of each maker."""
    if not request.param.startswith("folder"):
        url = url_of(request, request.param)
        return Place(url, make_scores)

    folder = request.getfixturevalue("folder")
    if request.param == "folder":
        return folder
    return replace(folder, open_at=open_without_exchange)
