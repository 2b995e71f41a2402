"""Open an output: find out what kind it is, and refuse what is no place for scores."""

import os
from contextlib import suppress
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.output.beside import check_beside
from tasks.core.output.folder import FolderOutput
from tasks.core.output.manifest import MANIFEST_NAME, RUNS, STAGING, manifest_location
from tasks.core.output.object_store import ObjectOutput
from tasks.core.output.protocol import Output
from tasks.core.output.strangers import find_strangers
from tasks.core.storage.files import list_sizes, read_whole
from tasks.core.storage.location import check_absolute, is_url

LIVED_IN = {"the current directory": Path.cwd, "your home": Path.home}


def open_output(output: str) -> Output:
    """Find out what kind of output a path or URL names.

    Raises:
        RequestError: it is no place for scores.
    """
    output = output.removeprefix("file://")
    return open_objects(output) if is_url(output) else open_folder(output)


def open_folder(output: str) -> FolderOutput:
    """Resolve the path of an output, through symbolic links.

    Raises:
        RequestError: it is a file, or a folder that is somebody else's, or lies in an output; or
            what lies beside it is somebody else's.
    """
    check_absolute(output)
    path = Path(os.path.realpath(output))

    # A device, a pipe and a link to itself are no place either.
    if os.path.lexists(path) and not path.is_dir():
        raise RequestError(f"{path} is a file: name a folder that does not exist yet.")
    if path.is_mount():
        raise RequestError(
            f"{path} is a mount point, which cannot be swapped in one step: "
            "name a folder inside it."
        )
    check_lived_in(path)
    for parent in path.parents:
        if (parent / MANIFEST_NAME).is_file():
            raise RequestError(
                f"{path} lies in {parent}, which holds scores: a replacement would delete it. "
                "Name another."
            )
    if strangers := find_strangers(path):  # a swap would take them away
        raise RequestError(
            f"{path} holds files that are no scores of afterfit ({strangers[0]}): "
            "name another folder."
        )
    check_beside(path)
    return FolderOutput(str(path))


def check_lived_in(path: Path) -> None:
    """Refuse the folder somebody works in, or is at home in: it must not be swapped under them.

    Raises:
        RequestError: it is, or holds, the current directory or the user's home.
    """
    for name, find in LIVED_IN.items():
        with suppress(OSError, RuntimeError):  # there may be none
            folder = find().resolve()
            if folder.is_relative_to(path):
                raise RequestError(
                    f"{path} is, or holds, {name}: name a folder of its own for scores."
                )


def open_objects(output: str) -> ObjectOutput:
    """Read what the manifest below a URL holds, to commit only if it stays so.

    Raises:
        RequestError: it cannot be read, or holds something that afterfit did not write.
    """
    check_absolute(output)
    try:
        foreign = sorted(list_sizes(output).keys() - {MANIFEST_NAME, RUNS, STAGING})
        before = read_whole(manifest_location(output))
    except FileNotFoundError:
        before = None
    except OSError as error:
        raise RequestError(f"{output} cannot be read: {error}") from error

    if foreign:
        raise RequestError(
            f"{output} holds what is no scores of afterfit ({foreign[0]}): name another place."
        )
    return ObjectOutput(output.rstrip("/"), before)
