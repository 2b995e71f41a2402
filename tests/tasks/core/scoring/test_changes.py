import uuid

import pyarrow as pa
import pytest

from tasks.core.errors import AfterfitError, SourceChangedError
from tasks.core.output.manifest import Part
from tasks.core.output.open import open_output
from tasks.core.output.staging import write_part
from tasks.core.scoring.changes import refuse_changes
from tasks.core.storage.files import list_sizes
from tasks.core.storage.location import join

KEY = "k" * 64
SCORES = pa.table({"row": [0, 1], "prediction": [0.5, 1.5]})


@pytest.fixture(params=["folder", "store"])
def output(request, tmp_path):
    if request.param == "folder":
        return open_output(str(tmp_path / "out"))
    return open_output(f"memory://{uuid.uuid4().hex}/out")


def attempt(output, file, work):
    """Write a part, and then do some work, over a source of one file."""
    with output.stage(KEY) as staging, refuse_changes((file,), staging):
        part = Part("part-kkkkkkkk-00000.parquet", 2, 0, None, ((0, 0, 2),))
        write_part(staging, part, SCORES, None)
        work()


def recorded(output):
    """Return the parts that the next attempt finds."""
    with output.stage(KEY) as staging:
        return list(list_sizes(staging.records))


def fail(error):
    def work():
        raise error

    return work


def test_a_failure_that_has_another_reason_keeps_what_is_done(output, write):
    file = write("a.parquet", SCORES)
    with pytest.raises(AfterfitError, match="no room"):
        attempt(output, file, fail(AfterfitError("no room")))
    assert recorded(output) == ["part-kkkkkkkk-00000.parquet.json"]


@pytest.mark.parametrize("error", [AfterfitError("no such row"), OSError("no such file")])
def test_a_failure_over_a_file_that_changed_says_so_and_keeps_nothing(
    output, write, settled, error
):
    file = write("a.parquet", SCORES)
    settled()
    write("a.parquet", SCORES.slice(1))
    with pytest.raises(SourceChangedError, match=r"a\.parquet changed while it was being read"):
        attempt(output, file, fail(error))
    assert recorded(output) == []
    assert list_sizes(join(output.location, "_runs")) == {}


def test_a_change_that_a_piece_has_seen_keeps_nothing_though_the_file_is_as_it_was(output, write):
    file = write("a.parquet", SCORES)
    with pytest.raises(SourceChangedError, match="seen"):
        attempt(output, file, fail(SourceChangedError("seen")))
    assert recorded(output) == []
