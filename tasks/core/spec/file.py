"""The spec file: read, changed by `--set`, and validated."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tasks.core.errors import RequestError
from tasks.core.spec.mistakes import explain, shorten
from tasks.core.spec.overrides import apply_override
from tasks.core.spec.spec import Spec
from tasks.core.spec.yaml_text import MOST_CHARACTERS, read_yaml
from tasks.core.storage.files import check_regular
from tasks.core.storage.location import absolute, absolute_output
from tasks.core.storage.secrets import check_no_secrets


def load_spec(path: Path, overrides: Sequence[str] = ()) -> Spec:
    """Read a spec, apply `--set` overrides such as `data.target=cnt`, and make its paths absolute.

    Raises:
        RequestError: the file is missing or is no YAML, or a field is unknown or impossible.
    """
    document = _read_document(path)
    for override in overrides:
        document = apply_override(document, override)
    return parse_spec(document, path.resolve().parent, str(path))


def _read_document(path: Path) -> dict[str, Any]:
    check_regular(str(path))
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_CHARACTERS + 1)  # one more is refused: the rest is not read
        document = read_yaml(text)
    except FileNotFoundError as error:
        raise RequestError(
            f"There is no spec {path}: `afterfit init TABLE --target COLUMN` writes a first one."
        ) from error
    except (OSError, ValueError) as error:
        raise RequestError(f"{path} cannot be read as YAML: {shorten(str(error))}") from error

    if not isinstance(document, dict):
        raise RequestError(
            f"{path} is not a spec: it must hold fields such as `name`, `problem` and `data`."
        )
    return document


def parse_spec(document: Mapping[str, Any], folder: Path, origin: str) -> Spec:
    """Validate a document; relative paths in it are relative to `folder`.

    Raises:
        RequestError: a field is unknown or impossible; `origin` is named as where it came from.
            Or a URL in it gives a secret away: runs and models store the whole spec.
    """
    try:
        spec = Spec.model_validate(document)
    except ValidationError as error:
        raise RequestError(f"{origin}: {shorten(explain(error))}") from error

    for text in _texts_of(spec.model_dump(mode="json")):
        check_no_secrets(text)

    data = spec.data.model_copy(update={"source": absolute(spec.data.source, folder)})
    scoring_paths = {
        "source": absolute(spec.scoring.source, folder),
        "output": absolute_output(spec.scoring.output, folder),
    }
    scoring = spec.scoring.model_copy(update=scoring_paths)
    return spec.model_copy(update={"data": data, "scoring": scoring})


def _texts_of(value: Any) -> Iterator[str]:
    """Yield all strings in a document, the names of its fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts_of([*value, *value.values()])
    elif isinstance(value, list):
        for item in value:
            yield from _texts_of(item)
