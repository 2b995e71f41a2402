"""What lies beside an output while a run is at work: names, and whether they are ours to use."""

from contextlib import suppress
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.storage.files import delete_path, is_vacant
from tasks.core.storage.locks import check_lock

STAGING = "afterfit-staging"
LOCK = "afterfit-lock"
MARKER = "made-by-afterfit.txt"
MEANING = (
    "afterfit keeps the finished parts of a scoring run here until they are committed, and deletes "
    "this folder then. While no run is at work, it may be deleted: the parts are scored again.\n"
)


def beside(output: Path, kind: str) -> Path:
    """Name what lies beside an output while a run is at work.

    >>> beside(Path("/data/scores"), STAGING).name
    '.scores.afterfit-staging'
    """
    return output.parent / f".{output.name}.{kind}"


def check_beside(output: Path) -> None:
    """Refuse an output beside which somebody else's files have the names that a run would use.

    Raises:
        RequestError: with the path, and what to do.
    """
    staging = beside(output, STAGING)
    try:
        if not (is_claimed(staging) or is_vacant(staging)):
            raise RequestError(
                f"{str(staging)!r} was not made by afterfit, and a run would keep its parts there: "
                "move it away, or name another output."
            )
    except OSError as error:
        raise RequestError(f"{str(output)!r} cannot be used: {error.strerror}.") from error

    check_lock(beside(output, LOCK))


def claim(folder: Path) -> None:
    """Make a folder with the marker by which it is known as ours, unless it has it.

    Raises:
        OSError: it cannot be made, or is somebody else's.
    """
    if is_claimed(folder):
        return
    if not is_vacant(folder):
        raise FileExistsError(f"{folder} was not made by afterfit")

    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text(MEANING, encoding="utf-8")


def is_claimed(folder: Path) -> bool:
    """Return whether a folder was made by us: a real one, with our marker."""
    marker = folder / MARKER
    if folder.is_symlink() or marker.is_symlink():
        return False
    return marker.is_file()


def discard(folder: Path) -> None:
    """Delete a folder of ours, its marker last: one that is killed meanwhile is still known."""
    if not is_claimed(folder):
        return

    for path in folder.iterdir():
        if path.name != MARKER:
            delete_path(path)

    with suppress(OSError):
        if [path.name for path in folder.iterdir()] == [MARKER]:
            (folder / MARKER).unlink()
            folder.rmdir()
