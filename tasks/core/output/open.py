"""Open an output: a folder, or a place on an object store."""

from tasks.core.errors import RequestError
from tasks.core.output.folder import FolderOutput, folder_output
from tasks.core.output.manifest import MANIFEST_NAME, RUNS, STAGING
from tasks.core.output.object_store import ObjectOutput
from tasks.core.storage.files import list_sizes, read_whole
from tasks.core.storage.location import check_absolute, is_url, join

Output = FolderOutput | ObjectOutput


def open_output(output: str) -> Output:
    """Find out what kind of output a path or URL names.

    Raises:
        RequestError: it is no place for scores.
    """
    output = output.removeprefix("file://")
    if not is_url(output):
        return folder_output(output)
    check_absolute(output)
    try:
        foreign = sorted(list_sizes(output).keys() - {MANIFEST_NAME, RUNS, STAGING})
        before = read_whole(join(output, MANIFEST_NAME))
    except FileNotFoundError:
        before = None
    except OSError as error:
        raise RequestError(f"{output} cannot be read: {error}") from error
    if foreign:
        raise RequestError(
            f"{output} holds what is no scores of afterfit ({foreign[0]}): name another place."
        )
    return ObjectOutput(output.rstrip("/"), before)
