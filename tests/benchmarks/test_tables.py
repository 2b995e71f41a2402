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
    share = sum(column.null_count for column in table.columns) / table.num_rows / table.num_columns
    assert share == pytest.approx(missing, abs=0.01)
    target = with_target(table, np.random.default_rng(0))[tables.TARGET].to_numpy()
    assert 0.2 < target.mean() < 0.8


def test_a_source_is_written_once_in_files_that_do_not_depend_on_its_size(tmp_path, monkeypatch):
    """A larger source begins with the files of a smaller one, up to its last."""
    monkeypatch.setattr(tables, "FILE_ROWS", 1_000)
    small, large = (write_source(tmp_path, floats, rows) for rows in (1_500, 2_500))
    assert [pq.read_metadata(path).num_rows for path in sorted(large.iterdir())] == [
        1_000,
        1_000,
        500,
    ]
    assert pq.read_table(small / "part-000.parquet") == pq.read_table(large / "part-000.parquet")
    written = [path.stat().st_mtime_ns for path in sorted(large.iterdir())]
    assert write_source(tmp_path, floats, 2_500) == large
    assert [path.stat().st_mtime_ns for path in sorted(large.iterdir())] == written


def test_a_table_that_the_disk_has_no_room_for_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="GiB free: 1,000,000,000,000 rows need"):
        check_space(tmp_path, 10**12)


def test_the_rows_for_the_kernel_hold_every_threshold_and_every_odd_value():
    """Each threshold is hit, from both sides too."""
    thresholds = [np.linspace(-1, 1, 7), np.array([0.25])]
    columns = make_columns(thresholds, 1_000, seed=0)
    for column, edges in zip(columns, thresholds, strict=True):
        held = set(column.tolist())
        for wanted in (
            edges,
            np.nextafter(edges, np.inf),
            np.nextafter(edges, -np.inf),
            [np.inf, -np.inf],
        ):
            assert held.issuperset(map(float, wanted))
        assert np.isnan(column).any()
        assert np.signbit(column[column == 0]).any()
