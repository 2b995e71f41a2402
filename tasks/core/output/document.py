"""The document of a manifest: JSON with a format version and a digest of itself."""

import json
from collections.abc import Mapping
from typing import Any

from tasks.core.errors import RequestError
from tasks.core.storage.digests import digest_of
from tasks.core.storage.files import read_whole

FORMAT_VERSION = 2


def make_document(content: Mapping[str, Any]) -> str:
    """Return the document of this content as JSON, with its digest."""
    plain = json.loads(json.dumps(content))
    document = {**plain, "digest": digest_of(plain)}
    return json.dumps(document, indent=1, sort_keys=True)


def read_document(where: str) -> dict[str, Any] | None:
    """Read the document at a path or URL as it stands; None if there is none.

    Raises:
        RequestError: it cannot be read, or is of another format.
    """
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


def content_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a document: all but its digest."""
    content = dict(document)
    content.pop("digest", None)
    return content


def matches_its_digest(document: Mapping[str, Any]) -> bool:
    """Return whether a document still has the digest it was written with."""
    digest = digest_of(content_of(document))
    return digest == document.get("digest")
