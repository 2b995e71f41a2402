"""Verify a committed output: everything about it that is not as its manifest says."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.errors import RequestError
from tasks.core.output.manifest import (
    MANIFEST_NAME,
    QUARANTINE,
    RUNS,
    STAGING,
    Manifest,
    Part,
    describe,
    matches_its_digest,
    parse_manifest,
    parts_folder,
    read_document,
)
from tasks.core.storage.files import list_sizes, read_whole
from tasks.core.storage.location import join

KNOWN_ENTRIES = {MANIFEST_NAME, RUNS, STAGING}  # what lies below an output on an object store


def verify_output(output: str | Path) -> list[str]:
    """List everything about an output that is not as its manifest says; an empty list means all is
    well.

    Every byte of every part is read and held against its sha256, the manifest against its own.

    Raises:
        RequestError: there is no manifest to hold it against.
    """
    try:
        document = read_document(output)
        manifest = parse_manifest(document, output) if document is not None else None
    except RequestError as error:
        return [str(error)]
    if document is None or manifest is None:
        raise RequestError(f"{output} is no committed output: it has no {MANIFEST_NAME}.")
    problems = [] if matches_its_digest(document) else [f"{MANIFEST_NAME}: its content has changed"]
    folder = parts_folder(output, manifest)
    for part in manifest.parts:
        problems += verify_part(folder, part, manifest.schema)
    return problems + list(_foreign(str(output), manifest)) + list(_miscounted(manifest))


def verify_part(output: str, part: Part, schema: Sequence[tuple[str, str]] = ()) -> list[str]:
    """List what is wrong with the files of a part; its columns are compared where there is a
    schema.
    """
    problems = _verify_file(output, part.name, part.sha256, part.rows, schema)
    return problems + _verify_file(
        output, join(QUARANTINE, part.name), part.quarantine_sha256, part.quarantined, ()
    )


def _verify_file(
    output: str, name: str, sha256: str | None, rows: int, schema: Sequence[tuple[str, str]]
) -> list[str]:
    if sha256 is None:
        return [f"{name}: {rows} rows of it have no file"] if rows else []
    try:
        content = read_whole(join(output, name))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return [f"{name}: missing"]
    if hashlib.sha256(content).hexdigest() != sha256:
        return [f"{name}: its content has changed"]
    with pq.ParquetFile(pa.BufferReader(content)) as parquet:
        if parquet.metadata.num_rows != rows:
            return [f"{name}: it has {parquet.metadata.num_rows} rows, the manifest says {rows}"]
        found = describe(parquet.schema_arrow)
    return (
        [f"{name}: its columns are not those of the manifest"]
        if schema and found != tuple(schema)
        else []
    )


def _foreign(output: str, manifest: Manifest) -> Iterator[str]:
    """Name the files that the manifest does not know; on an object store, other runs have folders
    of their own.
    """
    parts = {part.name for part in manifest.parts if part.sha256}
    quarantined = {part.name for part in manifest.parts if part.quarantine_sha256}
    known = parts | ({QUARANTINE} if quarantined else set())
    folder = parts_folder(output, manifest)
    if manifest.folder:
        yield from (
            f"{name}: not in the manifest"
            for name in sorted(list_sizes(output))
            if name not in KNOWN_ENTRIES
        )
    else:
        known.add(MANIFEST_NAME)
    yield from (
        f"{name}: not in the manifest" for name in sorted(list_sizes(folder)) if name not in known
    )
    if quarantined:
        inside = sorted(list_sizes(join(folder, QUARANTINE)))
        yield from (
            f"{QUARANTINE}/{name}: not in the manifest"
            for name in inside
            if name not in quarantined
        )


def _miscounted(manifest: Manifest) -> Iterator[str]:
    """Say which counts of a manifest do not add up."""
    scored, quarantined = manifest.rows_scored, manifest.rows_quarantined
    if manifest.rows_in != scored + quarantined:
        yield f"{manifest.rows_in} rows in are not {scored} scored + {quarantined} quarantined"
    if (in_parts := sum(part.rows for part in manifest.parts)) != scored:
        yield f"the parts have {in_parts} rows, scored were {scored}"
    if (in_parts := sum(part.quarantined for part in manifest.parts)) != quarantined:
        yield f"the parts have {in_parts} rows in quarantine, the manifest says {quarantined}"


def is_whole(output: str | Path, manifest: Manifest) -> bool:
    """Tell quickly whether every part is there with its size, and has its quarantine;
    `verify_output` reads them.
    """
    folder = parts_folder(output, manifest)
    found, beside = list_sizes(folder), list_sizes(join(folder, QUARANTINE))
    sizes = all(found.get(part.name) == part.size for part in manifest.parts if part.sha256)
    return sizes and all(part.name in beside for part in manifest.parts if part.quarantine_sha256)
