import pyarrow.parquet as pq
import pytest

from deployments.cli import demo
from tasks.core.spec.file import load_spec
from tasks.core.tables.open_source import open_source


def test_the_demo_can_be_read_and_is_written_once_only(tmp_path, monkeypatch):
    """A file that is written anew would be another source, and train again."""
    monkeypatch.setattr(demo, "ROWS", 1000)
    path = demo.write_demo(tmp_path)
    spec = load_spec(path)
    first = (open_source(spec.data.source).files, open_source(spec.scoring.source).files)
    path.write_text(path.read_text() + "# mine\n")
    demo.write_demo(tmp_path)
    assert (open_source(spec.data.source).files, open_source(spec.scoring.source).files) == first
    assert path.read_text().endswith("# mine\n")
    scored, trained = pq.read_table(spec.scoring.source), pq.read_table(spec.data.source)
    assert scored["sample"].to_pylist() == list(range(1000))
    assert sorted(trained.column_names) == sorted([*scored.column_names, "diagnosis"])
    for name in scored.column_names[1:3]:
        assert scored[name][569:].to_pylist() == pytest.approx(
            trained[name][: 1000 - 569].to_pylist()
        )
