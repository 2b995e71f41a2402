"""Tables made of chance are the same every time, of any size."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks import tables
from benchmarks.kernel import make_columns
from benchmarks.tables import check_space, doubles, floats, gaps, with_target, write_source


@pytest.mark.parametrize(
    ("make", "types", "missing"),
    [
        (floats, {"float"}, 0),
        (doubles, {"double"}, 0),
        (gaps, {"string", "double"}, tables.MISSING),
    ],
)
def test_a_table_has_its_types_its_gaps_and_both_classes(make, types, missing):
    table = make(np.random.default_rng(0), 4_000)
    assert {str(kind) for kind in table.schema.types} == types

    nulls = sum(column.null_count for column in table.columns)
    assert nulls / table.num_rows / table.num_columns == pytest.approx(missing, abs=0.01)

    target = with_target(table, np.random.default_rng(0))[tables.TARGET].to_numpy()
    assert 0.2 < target.mean() < 0.8


def test_a_source_is_written_once_in_files_that_do_not_depend_on_its_size(tmp_path):
    """A larger source begins with the files of a smaller one, up to its last."""
    small = write_source(tmp_path, floats, 1_500, file_rows=1_000)
    large = write_source(tmp_path, floats, 2_500, file_rows=1_000)
    files = sorted(large.iterdir())
    assert [pq.read_metadata(path).num_rows for path in files] == [1_000, 1_000, 500]
    assert pq.read_table(small / "part-000.parquet") == pq.read_table(large / "part-000.parquet")

    written = [path.stat().st_mtime_ns for path in files]
    assert write_source(tmp_path, floats, 2_500, file_rows=1_000) == large
    assert [path.stat().st_mtime_ns for path in sorted(large.iterdir())] == written


def test_a_table_that_the_disk_has_no_room_for_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="GiB free: 1,000,000,000,000 rows need"):
        check_space(tmp_path, 10**12)


def test_the_rows_for_the_kernel_hold_every_threshold_and_every_odd_value():
    """Each threshold is hit, from both sides too."""
    thresholds = [np.linspace(-1, 1, 7), np.array([0.25])]
    columns = make_columns(thresholds, 1_000, seed=0)

    for column, edges in zip(columns, thresholds, strict=True):
        above, below = np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf)
        wanted = np.concatenate([edges, above, below, [np.inf, -np.inf]])
        assert set(column.tolist()).issuperset(wanted.tolist())
        assert np.isnan(column).any()
        assert np.signbit(column[column == 0]).any()
