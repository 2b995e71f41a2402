"""Scoring from and to object stores: one in memory, and an S3 server.

The S3 server is a real one, in a process of its own.
"""

import signal
import time
import uuid
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from flows.lifecycle import train_model
from flows.scoring import score_batch
from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import read_manifest
from tasks.core.output.reading import read_scores
from tasks.core.output.verify import verify_output
from tasks.core.spec.file import load_spec
from tasks.core.storage.files import delete, list_sizes, read_whole, write_whole
from tasks.core.storage.location import join
from tasks.core.tables.csv_files import read_csv
from tasks.core.tables.listing import list_source

pytestmark = pytest.mark.usefixtures("servers")
ROWS = 400
HANGS = 120  # seconds; time itself is never asserted


@pytest.fixture(params=["memory", "s3"])
def bucket(request):
    """A place on a store that is empty yet."""
    root = request.getfixturevalue("s3") if request.param == "s3" else "memory:/"
    return f"{root}/{uuid.uuid4().hex}"


@pytest.fixture
def champion(sales):
    """The name of a champion, and the folder of its table as CSV and as Parquet."""
    spec = load_spec(sales)
    table = read_csv(list_source(spec.data.source).files[0], as_text=("id",))
    pq.write_table(table, sales.with_name("sales.parquet"), row_group_size=60)
    return train_model(spec).model, sales.parent


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_source_on_a_store_is_scored_to_a_store_as_it_is_here(champion, bucket, kind):
    name, folder = champion
    write_whole(f"{bucket}/in/table.{kind}", (folder / f"sales.{kind}").read_bytes())
    score_batch(name, str(folder / f"sales.{kind}"), str(folder / "out"))
    there = score_batch(name, f"{bucket}/in", f"{bucket}/out")
    assert (there.rows_in, there.rows_scored, there.rows_quarantined) == (ROWS, ROWS, 0)
    assert read_scores(f"{bucket}/out").equals(read_scores(folder / "out"))
    assert verify_output(f"{bucket}/out") == []
    assert "_staging" not in list_sizes(f"{bucket}/out")
    assert score_batch(name, f"{bucket}/in", f"{bucket}/out").reused
    assert score_batch(name, f"{bucket}/in", f"{bucket}/out", replace=True).reused
    (part,) = (item.name for item in read_manifest(f"{bucket}/out").parts)
    where = join(f"{bucket}/out", read_manifest(f"{bucket}/out").folder, part)
    write_whole(where, read_whole(where)[:-1] + b"?")
    assert not score_batch(name, f"{bucket}/in", f"{bucket}/out", replace=True).reused
    assert verify_output(f"{bucket}/out") == []
    (only,) = read_manifest(f"{bucket}/out").inputs
    assert only.path.endswith(f"/in/table.{kind}")
    assert only.content.partition(":")[0] == {"csv": "sha256", "parquet": "store"}[kind]


def test_an_attempt_that_died_on_a_store_is_resumed_and_its_damaged_part_scored_again(
    champion, bucket, monkeypatch
):
    """The attempt dies at the commit, with all three parts written.

    Each file is a piece of its own here.
    """
    name, folder = champion
    monkeypatch.setattr("tasks.core.tables.pieces.PIECE_ROWS", ROWS)
    for number in range(3):
        content = (folder / "sales.csv").read_bytes().replace(b'\n"0', b'\n"%d' % number)
        write_whole(f"{bucket}/in/{number}.csv", content)

    def die(*_):
        raise OSError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("tasks.core.output.object_store.write_if_unchanged", die)
        with pytest.raises((OSError, AfterfitError)):
            score_batch(name, f"{bucket}/in", f"{bucket}/out")
    assert read_manifest(f"{bucket}/out") is None
    (run,) = list_sizes(f"{bucket}/out/_runs")
    part = join(f"{bucket}/out/_runs", run, min(list_sizes(f"{bucket}/out/_runs/{run}")))
    write_whole(part, read_whole(part)[:-1] + b"?")
    done = score_batch(name, f"{bucket}/in", f"{bucket}/out")
    assert 0 < done.rows_reused < done.rows_scored
    assert verify_output(f"{bucket}/out") == []
    delete(bucket)


@pytest.fixture
def begin(slow_champion, make_source, start, s3):
    """Start to score eight pieces to a bucket, and wait until two parts are finished.

    Return the command, its source, and where it writes.
    """
    output, source = f"{s3}/{uuid.uuid4().hex}", make_source(8)
    command = start(slow_champion, source.path, output)
    deadline = time.monotonic() + HANGS
    while time.monotonic() < deadline and command.process.poll() is None:
        if any(
            len(list_sizes(f"{output}/_staging/{attempt}")) >= 2
            for attempt in list_sizes(f"{output}/_staging")
        ):
            return SimpleNamespace(command=command, source=source, output=output)
        time.sleep(0.05)
    pytest.fail(f"no two parts were finished: {command.process.poll()}")


def test_a_command_that_was_killed_at_work_on_a_store_is_resumed(
    begin, slow_champion, reference, laws
):
    begin.command.process.kill()
    begin.command.wait()
    done = score_batch(slow_champion, str(begin.source.path), begin.output)
    assert 2 * len(begin.source.ids) / 8 <= done.rows_reused < len(begin.source.ids)
    assert verify_output(begin.output) == []
    assert laws.parts_of(begin.output) == reference(slow_champion, begin.source)
    assert sorted(list_sizes(begin.output)) == ["_manifest.json", "_runs"]
    assert len(list_sizes(f"{begin.output}/_runs")) == 1


def test_a_command_that_wakes_up_after_another_has_committed_to_a_store_changes_nothing(
    begin, slow_champion, reference, laws
):
    """It is stopped in the middle of its work, as on a machine that sleeps.

    It goes on long after.
    """
    begin.command.process.send_signal(signal.SIGSTOP)
    score_batch(slow_champion, str(begin.source.path), begin.output)
    begin.command.process.send_signal(signal.SIGCONT)
    status, _, complained = begin.command.wait()
    assert (status, complained) == (0, "") or (
        status == 1 and "Another run has committed" in complained
    )
    assert verify_output(begin.output) == []
    assert laws.parts_of(begin.output) == reference(slow_champion, begin.source)
    assert len(read_scores(begin.output)) == len(begin.source.ids)
