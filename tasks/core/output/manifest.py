"""The manifest: the JSON document that commits an output, and what follows from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks.core.errors import RequestError
from tasks.core.output.document import (
    FORMAT_VERSION,
    content_of,
    make_document,
    matches_its_digest,
    read_document,
)
from tasks.core.storage.digests import digest_of
from tasks.core.storage.location import join
from tasks.core.storage.names import is_file_name
from tasks.core.tables.inputs import Input

MANIFEST_NAME = "_manifest.json"
QUARANTINE = "_quarantine"
RUNS = "_runs"  # on object stores: the parts of each attempt
STAGING = "_staging"  # on object stores: the records of each attempt at work
RUN_KEY_SHOWN = 8


@dataclass(frozen=True)
class Part:
    """One output file, made from the rows of one piece, and the quarantined rows of that piece.

    `slices`: the input's number, the first row in it and the rows of each slice. `read_from`: a
    digest of the revisions of the inputs that these were read from. `size`: in bytes.
    `sha256`: that of the file, or None where every row of the piece is in quarantine. `scored_by`:
    the trees' kernel or scikit-learn itself; `note`: why not the kernel. `reasons`: the number of
    quarantined rows by reason code. `unknown`: the number of values, by column, that are in no
    category the model knows. `examples`: names of the first few quarantined rows.
    """

    name: str
    rows: int
    size: int
    sha256: str | None
    slices: tuple[tuple[int, int, int], ...]
    read_from: str = ""
    scored_by: str = ""
    note: str = ""
    quarantined: int = 0
    quarantine_sha256: str | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What an output consists of, and what it was made of.

    `folder`: where the parts lie below the output, by default in it. `overtaken`: on an object
    store, the other attempts that had left something there. `notes`: what was unusual, and
    accepted.
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

    @property
    def scored_names(self) -> list[str]:
        """The names of the parts with a score, in the order of the input."""
        return [part.name for part in self.parts if part.sha256]

    @property
    def quarantined_names(self) -> list[str]:
        """The names of the parts with a row in quarantine, in the order of the input."""
        return [part.name for part in self.parts if part.quarantine_sha256]

    def to_json(self) -> str:
        """Return the document, with a digest of itself."""
        return make_document(asdict(self))


def make_run_key(
    model_digest: str, source_identity: str, content_options: Mapping[str, Any]
) -> str:
    """Identify a scoring run by what its content depends on.

    Neither the workers nor the place it is written to are part of it.
    """
    identity = {
        "model": model_digest,
        "source": source_identity,
        "options": content_options,
        "format": FORMAT_VERSION,
    }
    return digest_of(identity)


def part_name(run_key: str, number: int) -> str:
    """Name a part so that parts of two runs never meet.

    >>> part_name("0123456789abcdef", 7)
    'part-01234567-00007.parquet'
    """
    return f"part-{run_key[:RUN_KEY_SHOWN]}-{number:05d}.parquet"


def manifest_location(output: str | Path) -> str:
    """Return where the manifest of an output lies."""
    return join(str(output), MANIFEST_NAME)


def read_manifest(output: str | Path) -> Manifest | None:
    """Read the manifest of an output; None if there is none.

    Raises:
        RequestError: there is one that cannot be read, or is not as it was written.
    """
    document = read_document(manifest_location(output))
    if document is None:
        return None

    if not matches_its_digest(document):
        where = manifest_location(output)
        raise RequestError(f"{where} is damaged: its content is not what was written.")
    return parse_manifest(document, output)


def parse_manifest(document: Mapping[str, Any], output: str | Path) -> Manifest:
    """Make a manifest of its document.

    Raises:
        RequestError: something is missing or too much.
    """
    given = content_of(document)
    try:
        for name, parse in ITEMS.items():
            given[name] = tuple(parse(item) for item in given[name])
        if given.get("folder"):
            check_inside(*given["folder"].split("/"))
        for name in ("notes", "overtaken"):
            given[name] = tuple(given.get(name, ()))
        return Manifest(**given)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        known = ", ".join(item.name for item in fields(Manifest))
        where = manifest_location(output)
        raise RequestError(f"{where} is damaged ({error}): it must hold {known}.") from error


def parse_part(document: Mapping[str, Any]) -> Part:
    """Make a part of its document."""
    given = dict(document)
    check_inside(given["name"])
    given["slices"] = tuple(_parse_slice(item) for item in given["slices"])
    given["examples"] = tuple(given["examples"])
    return Part(**given)


def check_inside(*names: str) -> None:
    """Refuse names in a document that lead out of the output.

    Raises:
        ValueError: one does.
    """
    for name in names:
        if not is_file_name(name):
            raise ValueError(f"{name[:80]!r} is no name of a part")


def _parse_slice(document: Sequence[int]) -> tuple[int, int, int]:
    number, start, rows = document
    return int(number), int(start), int(rows)


def _parse_column(document: Sequence[str]) -> tuple[str, str]:
    name, type_ = document
    return str(name), str(type_)


ITEMS: Mapping[str, Callable[[Any], Any]] = {
    "inputs": lambda document: Input(**document),
    "parts": parse_part,
    "schema": _parse_column,
}  # how each item of these lists in a document is parsed


def describe(schema: pa.Schema) -> tuple[tuple[str, str], ...]:
    """Return the names and types of a schema.

    >>> describe(pa.schema([("id", pa.int64())]))
    (('id', 'int64'),)
    """
    return tuple((item.name, str(item.type)) for item in schema)


def parts_folder(output: str | Path, manifest: Manifest) -> str:
    """Return the folder or URL in which the parts of an output lie."""
    if not manifest.folder:
        return str(output)
    return join(str(output), manifest.folder)
