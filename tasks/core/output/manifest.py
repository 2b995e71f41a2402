"""The manifest: the JSON document that commits an output, and what follows from it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks.core.errors import RequestError
from tasks.core.storage.digests import digest_of
from tasks.core.storage.files import read_whole
from tasks.core.storage.location import join
from tasks.core.tables.inputs import Input

FORMAT_VERSION = 2
MANIFEST_NAME = "_manifest.json"
QUARANTINE = "_quarantine"
RUNS, STAGING = (
    "_runs",
    "_staging",
)  # on object stores: parts of each attempt, and records of those at work
RUN_KEY_SHOWN = 8


@dataclass(frozen=True)
class Part:
    """One output file, made from the rows of one piece, and the quarantined rows of that piece.

    `slices` are the input's number, the first row in it and the rows of each slice. `size` is in
    bytes; `sha256` is that of the file, or None where every row of the piece is in quarantine.
    `reasons` counts quarantined rows by reason code, `unknown` values by column that are in no
    category the model knows, `examples` name the first few; `scored_by` tells whether the trees'
    kernel or scikit-learn itself answered, `note` why not the kernel.
    """

    name: str
    rows: int
    size: int
    sha256: str | None
    slices: tuple[tuple[int, int, int], ...]
    scored_by: str = ""
    note: str = ""
    quarantined: int = 0
    quarantine_sha256: str | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What an output is made of, and of what it was made.

    `folder` is where the parts lie below the output, by default in it; on an object store,
    `overtaken` are the other attempts that had left something there. `notes` say what was unusual,
    and accepted.
    """

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
    folder: str = ""
    overtaken: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """Write the document, with a digest of itself."""
        document = json.loads(json.dumps(asdict(self)))
        return json.dumps({**document, "digest": digest_of(document)}, indent=1, sort_keys=True)


def make_run_key(
    model_digest: str, source_identity: str, content_options: Mapping[str, Any]
) -> str:
    """Identify a scoring run by what its content depends on: not by workers, nor by where it is
    written.
    """
    return digest_of(
        {
            "model": model_digest,
            "source": source_identity,
            "options": content_options,
            "format": FORMAT_VERSION,
        }
    )


def part_name(run_key: str, number: int) -> str:
    """Name a part so that parts of two runs never meet.

    >>> part_name("0123456789abcdef", 7)
    'part-01234567-00007.parquet'
    """
    return f"part-{run_key[:RUN_KEY_SHOWN]}-{number:05d}.parquet"


def read_manifest(output: str | Path) -> Manifest | None:
    """Read the manifest of an output, or nothing where there is none.

    Raises:
        RequestError: there is one that cannot be read, or is not as it was written.
    """
    document = read_document(output)
    if document is None:
        return None
    if not matches_its_digest(document):
        raise RequestError(
            f"{join(str(output), MANIFEST_NAME)} is damaged: its content is not what was written."
        )
    return parse_manifest(document, output)


def read_document(output: str | Path) -> dict[str, Any] | None:
    """Read the manifest of an output as it stands.

    Raises:
        RequestError: it cannot be read, or is of another format.
    """
    where = join(str(output), MANIFEST_NAME)
    try:
        document = json.loads(read_whole(where))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise RequestError(f"{where} cannot be read: {error}") from error
    if not isinstance(document, dict) or document.get("format_version") != FORMAT_VERSION:
        raise RequestError(
            f"{where} is of another format: this version reads format {FORMAT_VERSION}."
        )
    return document


def matches_its_digest(document: Mapping[str, Any]) -> bool:
    """Tell whether a manifest has the digest it was written with."""
    return digest_of(
        {name: value for name, value in document.items() if name != "digest"}
    ) == document.get("digest")


def parse_manifest(document: Mapping[str, Any], output: str | Path) -> Manifest:
    """Make a manifest of its document.

    Raises:
        RequestError: something is missing or too much.
    """
    given = {name: value for name, value in document.items() if name != "digest"}
    try:
        inputs = tuple(Input(**item) for item in given.pop("inputs"))
        parts = tuple(parse_part(item) for item in given.pop("parts"))
        schema = tuple((str(name), str(type_)) for name, type_ in given.pop("schema"))
        notes, overtaken = tuple(given.pop("notes", ())), tuple(given.pop("overtaken", ()))
        return Manifest(
            inputs=inputs, parts=parts, schema=schema, notes=notes, overtaken=overtaken, **given
        )
    except (KeyError, TypeError, ValueError) as error:
        known = ", ".join(item.name for item in fields(Manifest))
        raise RequestError(
            f"{join(str(output), MANIFEST_NAME)} is damaged ({error}): it must hold {known}."
        ) from error


def parse_part(document: Mapping[str, Any]) -> Part:
    """Make a part of its document."""
    slices = tuple(
        (int(number), int(start), int(rows)) for number, start, rows in document["slices"]
    )
    return Part(**{**document, "slices": slices, "examples": tuple(document["examples"])})


def describe(schema: pa.Schema) -> tuple[tuple[str, str], ...]:
    """Give the names and types of a schema.

    >>> describe(pa.schema([("id", pa.int64())]))
    (('id', 'int64'),)
    """
    return tuple((item.name, str(item.type)) for item in schema)


def parts_folder(output: str | Path, manifest: Manifest) -> str:
    """Name the folder or URL in which the parts of an output lie."""
    return join(str(output), manifest.folder) if manifest.folder else str(output)
