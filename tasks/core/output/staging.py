"""Staging: where an attempt gathers its parts, and what the next attempt can reuse of them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import QUARANTINE, Part, parse_part
from tasks.core.output.verify import verify_part
from tasks.core.storage.digests import digest_of
from tasks.core.storage.files import delete, list_sizes, read_whole, write_whole
from tasks.core.storage.location import is_url, join
from tasks.core.tables.pieces import Piece


@dataclass(frozen=True)
class Staging:
    """Where one attempt writes: folders or URLs.

    `parts`: the parts. `records`: the record of each part, written when the part is whole.
    `tables`: a folder for the Parquet copies of CSV files, and for files that are not whole yet.
    `folder`: where the parts lie below the output, once committed; by default in it.
    """

    parts: str
    records: str
    tables: str
    folder: str = ""


def write_part(staging: Staging, part: Part, scores: pa.Table, rejected: pa.Table | None) -> Part:
    """Write the files of a part, and its record last; return the part with what was written.

    Raises:
        AfterfitError: there is no room for them, or they may not be written.
    """
    try:
        written = _write_files(staging, part, scores, rejected)
        _write_record(staging, written)
    except OSError as error:
        raise AfterfitError(
            f"{join(staging.parts, part.name)} cannot be written: {error.strerror or error}. "
            "What is done is kept: run the same command again."
        ) from error
    return written


def _write_files(staging: Staging, part: Part, scores: pa.Table, rejected: pa.Table | None) -> Part:
    """Write the scores and the quarantine of a part, as far as there are any."""
    if len(scores):
        file = join(staging.parts, part.name)
        size, sha256 = write_table(scores, file, staging.tables)
        part = replace(part, size=size, sha256=sha256)

    if rejected is not None and len(rejected):
        file = join(staging.parts, QUARANTINE, part.name)
        _, sha256 = write_table(rejected, file, staging.tables)
        part = replace(part, quarantine_sha256=sha256)
    return part


def _write_record(staging: Staging, part: Part) -> None:
    document = json.loads(json.dumps(asdict(part)))
    record = {"part": document, "digest": digest_of(document)}
    content = json.dumps(record).encode()
    write_whole(_record_of(staging, part.name), content)


def write_table(table: pa.Table, location: str, unfinished_in: str = "") -> tuple[int, str]:
    """Write a table with page checksums, whole or not at all; return its size and its sha256.

    The first column is the id: nearly unique, so it gets no dictionary.
    """
    first, *others = table.schema
    # A dictionary of ids or probabilities is built in vain: it took five times as long.
    repeating = [item.name for item in others if not pa.types.is_floating(item.type)]
    differences = None
    if pa.types.is_integer(first.type):
        differences = {first.name: "DELTA_BINARY_PACKED"}

    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=1,
        use_dictionary=repeating,
        column_encoding=differences,
        write_page_checksum=True,
    )
    content = memoryview(sink.getvalue())
    write_whole(location, content, unfinished_in)
    return len(content), hashlib.sha256(content).hexdigest()


def finished_part(staging: Staging, name: str, piece: Piece) -> Part | None:
    """Find the record of a part made from the rows of a piece; its files are not looked at.

    It is none of it if a file that it was read from has been touched since.
    """
    try:
        record = json.loads(read_whole(_record_of(staging, name)))
        if digest_of(record["part"]) != record["digest"]:
            return None
        part = parse_part(record["part"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    has_its_rows = part.slices == input_slices(piece)
    has_its_files = part.read_from == read_from(piece)
    return part if has_its_rows and has_its_files else None


def reusable_parts(
    staging: Staging, pieces: Sequence[Piece], names: Sequence[str]
) -> dict[int, Part]:
    """Find the parts that an earlier attempt finished, by number.

    Each is checked against its digest, byte for byte. The records of other parts are deleted: those
    of another run, and those that do not match their part.
    """
    wanted = dict(zip(names, pieces, strict=True))
    for record in list_sizes(staging.records):
        if record.removesuffix(".json") not in wanted:
            delete(join(staging.records, record))

    found: dict[int, Part] = {}
    recorded = list_sizes(staging.records)
    for name, piece in wanted.items():
        if f"{name}.json" not in recorded:
            continue
        part = finished_part(staging, name, piece)
        if part is not None and not verify_part(staging.parts, part):
            found[piece.number] = part
        else:
            delete(_record_of(staging, name))
    return found


def input_slices(piece: Piece) -> tuple[tuple[int, int, int], ...]:
    """Return the input's number, the first row and the rows of each slice of a piece."""
    return tuple((item.input, item.start, item.rows) for item in piece.slices)


def read_from(piece: Piece) -> str:
    """Return a digest of the revisions of the files that a piece is read from."""
    return digest_of([item.revision for item in piece.slices])


def drop_parts(staging: Staging) -> None:
    """Delete the records of all parts: no later attempt will reuse any of them."""
    delete(staging.records)


def rows_written(staging: Staging, rows: Mapping[str, int]) -> int:
    """Count the rows of the parts that are written so far, for a progress bar.

    On object stores that is 0: asking would cost too much.
    """
    if is_url(staging.parts):
        return 0
    return sum(rows.get(name, 0) for name in list_sizes(staging.parts))


def _record_of(staging: Staging, name: str) -> str:
    return join(staging.records, f"{name}.json")
