"""A version: what the registry says of a model."""

from dataclasses import dataclass, field
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.storage.digests import read_folder


@dataclass(frozen=True)
class ModelVersion:
    """What the registry says of a version.

    `digest` is the sha256 of its files, `folder` the place where they were fetched to. `passed`,
    `judged_against` and `training_key` are what these files say, since anybody can set a tag; they
    are not known before the files were fetched. `run_id` is the run of the registry that has them.
    `problem` says why they could not be fetched.
    """

    name: str
    version: int
    digest: str
    passed: bool = False
    promoted: bool = False
    judged_against: int | None = None
    aliases: tuple[str, ...] = ()
    folder: str = ""
    training_key: str = ""
    problem: str = ""
    run_id: str = field(default="", compare=False)

    @property
    def title(self) -> str:
        """The name and the number, as sentences name a version."""
        return f"{self.name} version {self.version}"


def read_files(version: ModelVersion, *names: str) -> dict[str, bytes]:
    """Read some of the fetched files of a version, and refuse those that were not registered.

    All files are digested, and what is returned are the bytes that were: a file that changes
    afterwards changes nothing.

    Args:
        version: a registered version, fetched.
        names: the files to return, as far as they are there.

    Raises:
        RequestError: their digest differs.
    """
    digest, contents = read_folder(Path(version.folder), names)
    if digest != version.digest:
        raise other_files(version)
    return contents


def other_files(version: ModelVersion) -> RequestError:
    """Return the error that refuses a version with other files than it was registered with."""
    return RequestError(
        f"The files of {version.title} are not those that were "
        f"registered: do not use it; `afterfit rollback {version.name}` restores the "
        "version before."
    )
