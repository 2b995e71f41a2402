"""Read the scores of a committed output."""

import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.errors import RequestError
from tasks.core.output.manifest import MANIFEST_NAME, Manifest, parts_folder, read_manifest
from tasks.core.storage.files import open_binary
from tasks.core.storage.location import join


def read_scores(output: str | Path, attempts: int = 20) -> pa.Table:
    """Read a committed output whole, as its manifest says.

    Args:
        output: a folder, or an fsspec URL.
        attempts: how often to try while the output is being swapped.

    Returns:
        the rows of the parts, in the order of the input.

    Raises:
        RequestError: nothing is committed there.
    """
    for attempt in range(attempts):
        manifest = read_manifest(output)
        try:
            if manifest is not None:
                return _read_parts(output, manifest)
        except FileNotFoundError:  # swapped between the manifest and its parts
            if attempt == attempts - 1:
                raise
        time.sleep(0.05)

    raise RequestError(f"{output} is no committed output: it has no {MANIFEST_NAME}.")


def _read_parts(output: str | Path, manifest: Manifest) -> pa.Table:
    folder = parts_folder(output, manifest)
    tables = [_read_part(join(folder, name)) for name in manifest.scored_names]
    return pa.concat_tables(tables)


def _read_part(location: str) -> pa.Table:
    with open_binary(location) as file:
        return pq.read_table(file, page_checksum_verification=True)
