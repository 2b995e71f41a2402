"""Arrow files: tables that are mapped into memory."""

from pathlib import Path

import pyarrow as pa


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table so that it can be memory-mapped."""
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table)


def open_table(path: str) -> pa.Table:
    """Map a table into memory, without reading it."""
    with pa.memory_map(path) as source:
        return pa.ipc.open_file(source).read_all()
