import pyarrow as pa

from tasks.core.tables.arrow_files import open_table, write_table


def test_a_written_table_comes_back_as_it_was(tmp_path, mixed):
    table = pa.concat_tables([mixed, mixed.slice(3, 5)])
    path = tmp_path / "table.arrow"
    write_table(table, path)
    assert open_table(str(path)).equals(table)


def test_an_empty_table_keeps_its_schema(tmp_path, mixed):
    path = tmp_path / "table.arrow"
    write_table(mixed.slice(0, 0), path)
    found = open_table(str(path))
    assert (found.schema, len(found)) == (mixed.schema, 0)


def test_an_opened_table_takes_no_memory_of_its_own(tmp_path):
    path = tmp_path / "table.arrow"
    write_table(pa.table({"x": range(1_000_000)}), path)

    before = pa.total_allocated_bytes()
    found = open_table(str(path))
    assert pa.total_allocated_bytes() - before < 100_000
    assert found.nbytes == 8_000_000
