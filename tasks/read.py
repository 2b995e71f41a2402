"""Read a source: first what it is, then what is in it."""

from pathlib import Path

from prefect.logging import get_run_logger

from tasks.core.spec.sections import Data
from tasks.core.storage.digests import digest_of
from tasks.core.tables.arrow_files import write_table
from tasks.core.tables.listing import SourceListing, list_source
from tasks.core.tables.partitions import keys_of
from tasks.core.tables.sources import check_unchanged, content_digest
from tasks.core.training.table import TableFile, read_files
from tasks.idempotent import idempotent_task


@idempotent_task(task_run_name="look at {location}")
def look_at_source(location: str) -> SourceListing:
    """List the files of a source, with their identities and footers."""
    return list_source(location)


@idempotent_task(task_run_name="read {data.source}")
def read_table(source: SourceListing, data: Data, folder: str) -> TableFile:
    """Read a source whole, once, into a file that every later task maps into memory."""
    table = read_files(source.files, data)
    digest = digest_of([[content_digest(file), keys_of(file.path)] for file in source.files])
    check_unchanged(source.files)

    path = Path(folder) / "table.arrow"
    write_table(table, path)

    rows = f"{len(table):,}"
    columns = table.num_columns
    files = len(source.files)
    get_run_logger().info("read %s rows x %s columns from %s files", rows, columns, files)
    return TableFile(str(path), digest, len(table))
