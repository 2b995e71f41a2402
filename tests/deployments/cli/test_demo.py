"""The demo's files."""

import pyarrow.parquet as pq

from deployments.cli.demo import write_demo
from tasks.core.spec.file import load_spec
from tasks.core.tables.listing import list_source


def test_the_demo_can_be_read_and_is_written_once_only(tmp_path):
    """A file that is written anew would be another source, and train again."""
    path = write_demo(tmp_path, rows=1000)
    spec = load_spec(path)
    trained = list_source(spec.data.source).files
    scored = list_source(spec.scoring.source).files

    with path.open("a") as file:
        file.write("# mine\n")
    write_demo(tmp_path, rows=1000)
    assert list_source(spec.data.source).files == trained
    assert list_source(spec.scoring.source).files == scored
    assert path.read_text().endswith("# mine\n")


def test_the_rows_to_score_are_those_that_train_again_and_again(tmp_path):
    spec = load_spec(write_demo(tmp_path, rows=1000))
    scored = pq.read_table(spec.scoring.source)
    trained = pq.read_table(spec.data.source)
    assert scored["sample"].to_pylist() == list(range(1000))
    assert {*trained.column_names} == {*scored.column_names, "diagnosis"}

    again = scored.drop_columns(["sample"]).slice(trained.num_rows)
    features = trained.select(again.column_names)
    assert again.equals(features.slice(0, again.num_rows))
