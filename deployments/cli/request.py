"""The spec that a command is given, checked before any server is started for it."""

from collections.abc import Sequence
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.spec.file import load_spec
from tasks.core.spec.spec import Spec
from tasks.core.training.candidates import check_candidates


def load_request(path: Path, overrides: Sequence[str] = ()) -> Spec:
    """Read a spec, and refuse one that no model could be trained with.

    Raises:
        RequestError: with the file, the field, and what to write instead.
    """
    spec = load_spec(path, overrides)
    try:
        check_candidates(spec)
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from error
    return spec
