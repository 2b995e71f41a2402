import pytest

from tasks.core.errors import RequestError
from tasks.core.output.reading import read_scores


def test_scores_are_read_in_the_order_of_the_input_whatever_else_lies_there(tmp_path, write_scores):
    output = write_scores(tmp_path / "scores", 3)
    first = min(output.glob("part-*"))
    foreign = output / "part-ffffffff-00000.parquet"
    foreign.write_bytes(first.read_bytes())

    scores = read_scores(output)
    assert scores["row"].to_pylist() == list(range(8))
    assert scores.column_names == ["row", "model_version"]


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path, write_scores):
    output = write_scores(tmp_path / "day=2024-01-01" / "scores", 1)
    assert read_scores(output).column_names == ["row", "model_version"]


def test_a_part_that_stays_away_is_an_error_in_the_end(tmp_path, write_scores):
    output = write_scores(tmp_path / "scores", 3)
    last = max(output.glob("part-*"))
    last.unlink()

    with pytest.raises(FileNotFoundError):
        read_scores(output, attempts=2)


def test_what_was_never_committed_cannot_be_read(tmp_path):
    with pytest.raises(RequestError, match="is no committed output"):
        read_scores(tmp_path, attempts=2)
