"""Fixtures: scores to commit, and attempts that commit, fail or are killed."""

import uuid
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tasks.core.output.manifest import QUARANTINE, Manifest
from tasks.core.storage.files import write_whole
from tasks.core.storage.location import join


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
        for part in self.manifest.parts:
            content = (self.folder / part.name).read_bytes()
            write_whole(join(staging.parts, part.name), content)
            write_whole(join(staging.records, f"{part.name}.json"), b"{}")
        return replace(self.manifest, folder=staging.folder)


@pytest.fixture
def make_scores(tmp_path_factory, write_output):
    """Make the scores of a run, whose model has this version."""

    def make(version):
        folder = tmp_path_factory.mktemp("scores")
        return Scores(write_output(folder, version), folder)

    return make


@pytest.fixture
def publish(make_scores):
    """Commit the scores of one version to an output, as a run does."""

    def commit_version(output, version):
        scores = make_scores(version)
        with output.locked(), output.stage(scores.run_key) as staging:
            output.commit(scores.write_to(staging), staging)

    return commit_version


@pytest.fixture
def finish():
    """Finish a part in a staging: its file, its quarantine, and its record last."""

    def finish_part(staging, name, content=b"x"):
        write_whole(join(staging.parts, name), content)
        write_whole(join(staging.parts, QUARANTINE, name), content)
        write_whole(join(staging.records, f"{name}.json"), content)

    return finish_part


@pytest.fixture
def fail(finish):
    """Let an attempt finish one part and fail; return where it wrote."""

    def fail_attempt(output, run_key, name, content=b"x"):
        with suppress(KeyboardInterrupt), output.locked(), output.stage(run_key) as staging:
            finish(staging, name, content)
            raise KeyboardInterrupt
        return staging

    return fail_attempt


@pytest.fixture
def begin():
    """Begin an attempt that does not end during the test, as if it were killed."""
    with ExitStack() as attempts:
        yield lambda output, run_key: attempts.enter_context(output.stage(run_key))


@pytest.fixture(params=["memory", "s3"])
def url(request):
    """The URL of an output that is empty yet: in memory, or on a real S3 server."""
    root = request.getfixturevalue("s3") if request.param == "s3" else "memory:/"
    return f"{root}/{uuid.uuid4().hex}/scores"
