"""Verify a committed output: everything about it that is not as its manifest says."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.errors import RequestError
from tasks.core.output.document import matches_its_digest, read_document
from tasks.core.output.manifest import (
    MANIFEST_NAME,
    QUARANTINE,
    RUNS,
    STAGING,
    Manifest,
    Part,
    describe,
    manifest_location,
    parse_manifest,
    parts_folder,
)
from tasks.core.storage.files import list_sizes, read_whole
from tasks.core.storage.location import join

KNOWN_ENTRIES = {MANIFEST_NAME, RUNS, STAGING}  # what lies below an output on an object store


def verify_output(output: str | Path) -> list[str]:
    """List everything about an output that is not as its manifest says; empty if all is well.

    Every byte of every part is read and checked against its sha256, the manifest against its own.

    Raises:
        RequestError: there is no manifest to check it against.
    """
    try:
        document = read_document(manifest_location(output))
        manifest = parse_manifest(document, output) if document is not None else None
    except RequestError as error:
        return [str(error)]

    if document is None or manifest is None:
        raise RequestError(f"{output} is no committed output: it has no {MANIFEST_NAME}.")

    problems: list[str] = []
    if not matches_its_digest(document):
        problems.append(f"{MANIFEST_NAME}: its content has changed")
    folder = parts_folder(output, manifest)
    for part in manifest.parts:
        problems += verify_part(folder, part, manifest.schema)
    problems += _unlisted_files(str(output), manifest)
    problems += _wrong_counts(manifest)
    return problems


def verify_part(output: str, part: Part, schema: Sequence[tuple[str, str]] = ()) -> list[str]:
    """List what is wrong with the files of a part; without a schema, columns are not compared."""
    quarantine = join(QUARANTINE, part.name)
    return [
        *_verify_file(output, part.name, part.sha256, part.rows, schema),
        *_verify_file(output, quarantine, part.quarantine_sha256, part.quarantined, ()),
    ]


def is_whole(output: str | Path, manifest: Manifest) -> bool:
    """Return quickly whether every part is there with its size, and has its quarantine.

    `verify_output` reads the parts.
    """
    folder = parts_folder(output, manifest)
    sizes, quarantined = list_sizes(folder), list_sizes(join(folder, QUARANTINE))

    for part in manifest.parts:
        if part.sha256 and sizes.get(part.name) != part.size:
            return False
        if part.quarantine_sha256 and part.name not in quarantined:
            return False
    return True


def _verify_file(
    output: str, name: str, sha256: str | None, rows: int, schema: Sequence[tuple[str, str]]
) -> Iterator[str]:
    """Name what is wrong with one file of a part, if anything is."""
    if sha256 is None:
        if rows:
            yield f"{name}: {rows} rows of it have no file"
        return

    try:
        content = read_whole(join(output, name))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        yield f"{name}: missing"
        return
    if hashlib.sha256(content).hexdigest() != sha256:
        yield f"{name}: its content has changed"
        return

    with pq.ParquetFile(pa.BufferReader(content)) as parquet:
        found, columns = parquet.metadata.num_rows, describe(parquet.schema_arrow)
    if found != rows:
        yield f"{name}: it has {found} rows, the manifest says {rows}"
    elif schema and columns != tuple(schema):
        yield f"{name}: its columns are not those of the manifest"


def _unlisted_files(output: str, manifest: Manifest) -> Iterator[str]:
    """Name the files that the manifest does not list.

    On an object store, other runs have folders of their own.
    """
    folder = parts_folder(output, manifest)
    listed = set(manifest.scored_names)
    quarantined = set(manifest.quarantined_names)
    if quarantined:
        listed.add(QUARANTINE)

    if manifest.folder:
        yield from _others_in(output, KNOWN_ENTRIES)
    else:
        listed.add(MANIFEST_NAME)
    yield from _others_in(folder, listed)

    if quarantined:
        inside = join(folder, QUARANTINE)
        yield from _others_in(inside, quarantined, prefix=f"{QUARANTINE}/")


def _others_in(folder: str, listed: Collection[str], prefix: str = "") -> Iterator[str]:
    for name in sorted(list_sizes(folder)):
        if name not in listed:
            yield f"{prefix}{name}: not in the manifest"


def _wrong_counts(manifest: Manifest) -> Iterator[str]:
    """Name the counts of a manifest that do not add up."""
    rows_in = manifest.rows_in
    scored, scored_in_parts = manifest.rows_scored, sum(part.rows for part in manifest.parts)
    quarantined = manifest.rows_quarantined
    quarantined_in_parts = sum(part.quarantined for part in manifest.parts)

    if rows_in != scored + quarantined:
        yield f"{rows_in} rows in are not {scored} scored + {quarantined} quarantined"
    if scored_in_parts != scored:
        yield f"the parts have {scored_in_parts} rows, scored were {scored}"
    if quarantined_in_parts != quarantined:
        yield (
            f"the parts have {quarantined_in_parts} rows in quarantine, "
            f"the manifest says {quarantined}"
        )
