"""The manifest: the JSON document that commits an output, and what follows from it."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.digest import digest_of, file_digest
from tasks.core.errors import RequestError

FORMAT_VERSION = 1
NAME = "_manifest.json"
QUARANTINE = "_quarantine"
RUN_KEY_SHOWN = 8


@dataclass(frozen=True)
class Part:
    """One output file, and the rows of the one piece it was made from."""

    name: str
    rows: int
    sha256: str
    input: str
    start: int


@dataclass(frozen=True)
class Input:
    """One input file: its identity, and the sha256 of its content."""

    path: str
    size: int
    stamp: str
    digest: str
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an output is made of, and of what it was made."""

    model: str
    version: int
    model_digest: str
    run_key: str
    source_identity: str
    inputs: tuple[Input, ...]
    parts: tuple[Part, ...]
    schema: tuple[tuple[str, str], ...]
    rows_in: int
    rows_scored: int
    rows_quarantined: int
    flow_run: str
    attempt: int
    window: str | None = None
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """Write the document."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)


def make_run_key(model_digest: str, source_identity: str, content_options: Mapping[str, Any]) -> str:
    """Identify a scoring run by what its content depends on: not by workers, nor by where it is written."""
    return digest_of(
        {"model": model_digest, "source": source_identity, "options": content_options, "format": FORMAT_VERSION}
    )


def part_name(run_key: str, number: int) -> str:
    """Name a part so that parts of two runs never meet.

    >>> part_name("0123456789abcdef", 7)
    'part-01234567-00007.parquet'
    """
    return f"part-{run_key[:RUN_KEY_SHOWN]}-{number:05d}.parquet"


def read_manifest(output: Path) -> Manifest | None:
    """Read the manifest of an output, or nothing where there is none.

    Raises:
        RequestError: there is one that cannot be read.
    """
    try:
        document = json.loads((output / NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise RequestError(f"{output / NAME} cannot be read: {error}") from error
    return _parse(document, output)


def _parse(document: Any, output: Path) -> Manifest:
    if not isinstance(document, dict) or document.get("format_version") != FORMAT_VERSION:
        raise RequestError(f"{output / NAME} is of another format: this version reads format {FORMAT_VERSION}.")
    try:
        inputs = tuple(Input(**item) for item in document.pop("inputs"))
        parts = tuple(Part(**item) for item in document.pop("parts"))
        schema = tuple((str(name), str(type_)) for name, type_ in document.pop("schema"))
        return Manifest(inputs=inputs, parts=parts, schema=schema, **document)
    except (KeyError, TypeError, ValueError) as error:
        known = ", ".join(field.name for field in fields(Manifest))
        raise RequestError(f"{output / NAME} is damaged ({error}): it must hold {known}.") from error


def verify_output(output: Path) -> list[str]:
    """List everything about an output that is not as its manifest says; an empty list means all is well.

    Raises:
        RequestError: there is no manifest to hold it against.
    """
    manifest = read_manifest(output)
    if manifest is None:
        raise RequestError(f"{output} is no committed output: it has no {NAME}.")
    problems = [problem for part in manifest.parts for problem in _verify_part(output, part, manifest.schema)]
    known = {NAME, QUARANTINE, *(part.name for part in manifest.parts)}
    problems += [f"{path.name}: not in the manifest" for path in sorted(output.iterdir()) if path.name not in known]
    scored, quarantined = manifest.rows_scored, manifest.rows_quarantined
    if manifest.rows_in != scored + quarantined:
        problems.append(f"{manifest.rows_in} rows in are not {scored} scored + {quarantined} quarantined")
    if (in_parts := sum(part.rows for part in manifest.parts)) != manifest.rows_scored:
        problems.append(f"the parts have {in_parts} rows, scored were {manifest.rows_scored}")
    return problems


def _verify_part(output: Path, part: Part, schema: Sequence[tuple[str, str]]) -> list[str]:
    path = output / part.name
    if not path.is_file():
        return [f"{part.name}: missing"]
    if file_digest(path) != part.sha256:
        return [f"{part.name}: its content has changed"]
    with pq.ParquetFile(path) as parquet:
        if parquet.metadata.num_rows != part.rows:
            return [f"{part.name}: it has {parquet.metadata.num_rows} rows, the manifest says {part.rows}"]
        found = describe(parquet.schema_arrow)
    return [] if found == tuple(schema) else [f"{part.name}: its columns are not those of the manifest"]


def describe(schema: pa.Schema) -> tuple[tuple[str, str], ...]:
    """Give the names and types of a schema.

    >>> describe(pa.schema([("id", pa.int64())]))
    (('id', 'int64'),)
    """
    return tuple((field.name, str(field.type)) for field in schema)


def is_whole(output: Path, manifest: Manifest) -> bool:
    """Tell quickly whether every part is there with its rows; `verify_output` reads them all."""
    try:
        return all(pq.read_metadata(output / part.name).num_rows == part.rows for part in manifest.parts)
    except (OSError, pa.ArrowInvalid):
        return False


def read_scores(output: str | Path, attempts: int = 20) -> pa.Table:
    """Read a committed output whole, as its manifest says; while it is being swapped, try again.

    Returns:
        the rows of the parts, in the order of the input.

    Raises:
        RequestError: nothing is committed there.
    """
    folder = Path(output)
    for attempt in range(attempts):
        manifest = read_manifest(folder)
        try:
            if manifest is not None:
                return pa.concat_tables(
                    [pq.read_table(folder / part.name, page_checksum_verification=True) for part in manifest.parts]
                )
        except FileNotFoundError:  # swapped between the manifest and its parts
            if attempt == attempts - 1:
                raise
        time.sleep(0.05)
    raise RequestError(f"{output} is no committed output: it has no {NAME}.")
