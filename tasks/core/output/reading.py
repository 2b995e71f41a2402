"""Read the scores of a committed output."""

import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.errors import RequestError
from tasks.core.output.manifest import MANIFEST_NAME, parts_folder, read_manifest
from tasks.core.storage.files import open_binary
from tasks.core.storage.location import join


def read_scores(output: str | Path, attempts: int = 20) -> pa.Table:
    """Read a committed output whole, as its manifest says; while it is being swapped, try again.

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
                parts = [part for part in manifest.parts if part.sha256]
                folder = parts_folder(output, manifest)
                return pa.concat_tables([_read_part(join(folder, part.name)) for part in parts])
        except FileNotFoundError:  # swapped between the manifest and its parts
            if attempt == attempts - 1:
                raise
        time.sleep(0.05)
    raise RequestError(f"{output} is no committed output: it has no {MANIFEST_NAME}.")


def _read_part(location: str) -> pa.Table:
    with open_binary(location) as file:
        return pq.read_table(file, page_checksum_verification=True)
