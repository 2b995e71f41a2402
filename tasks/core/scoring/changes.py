"""Changes: what becomes of a scoring run when its source changes under it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tasks.core.errors import AfterfitError, SourceChangedError
from tasks.core.output.staging import Staging, drop_parts
from tasks.core.tables.sources import SourceFile, check_unchanged


@contextmanager
def refuse_changes(files: Sequence[SourceFile], staging: Staging) -> Iterator[None]:
    """Score files in the body; if one of them changes meanwhile, say so and keep no part.

    Each part was held against its files when it was read. That is worth less on a file system that
    does not keep the time of an inode's change, so nothing of this attempt is reused.

    Raises:
        SourceChangedError: the body failed, and a file has changed.
    """
    try:
        try:
            yield
        except (AfterfitError, OSError):
            check_unchanged(files)  # which would explain it better
            raise
    except SourceChangedError:
        drop_parts(staging)
        raise
