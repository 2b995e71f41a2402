"""A version: what the registry says of a model."""

from dataclasses import dataclass
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.storage.digests import folder_digest


@dataclass(frozen=True)
class ModelVersion:
    """What the registry says of a version.

    `digest` is the sha256 of its files, `folder` the place where they were fetched to.
    """

    name: str
    version: int
    digest: str
    passed: bool
    promoted: bool
    judged_against: int | None = None
    aliases: tuple[str, ...] = ()
    folder: str = ""


def check_files(version: ModelVersion) -> None:
    """Refuse the fetched files of a version that are not those that were registered.

    Raises:
        RequestError: their digest differs.
    """
    if folder_digest(Path(version.folder)) != version.digest:
        raise RequestError(
            f"The files of {version.name} version {version.version} are not those that were "
            f"registered: do not use it; `afterfit rollback {version.name}` restores the "
            "version before."
        )
