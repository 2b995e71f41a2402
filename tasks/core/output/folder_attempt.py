"""An attempt at an output in a folder: made or taken over, and made ready for its commit."""

from collections.abc import Collection
from pathlib import Path

from tasks.core.output.beside import MARKER
from tasks.core.output.exchange import OLD, sync
from tasks.core.output.manifest import MANIFEST_NAME, QUARANTINE, Manifest
from tasks.core.output.staging import Staging
from tasks.core.storage.files import delete_path


def take_over(staging: Path, attempt: Path) -> None:
    """Rename the folder of one dead attempt, if there is any, and delete the others.

    Links in it are deleted: nothing is written to, or deleted, where they lead.
    """
    for left in staging.iterdir():
        if left.name == MARKER:
            continue
        is_attempt = left.is_dir() and not left.is_symlink() and left.name != OLD
        if is_attempt and not attempt.exists():
            left.rename(attempt)
        else:
            delete_path(left)

    for path in attempt.rglob("*"):
        if path.is_symlink():
            path.unlink()


def make_staging(attempt: Path) -> Staging:
    """Make the folders of an attempt, those that it does not have yet."""
    staging = Staging(
        parts=str(attempt / "parts"),
        records=str(attempt / "records"),
        tables=str(attempt / "tables"),
    )
    quarantine = attempt / "parts" / QUARANTINE

    for folder in (quarantine, staging.records, staging.tables):
        Path(folder).mkdir(parents=True, exist_ok=True)
    return staging


def keep_committed(parts: Path, manifest: Manifest) -> None:
    """Delete what the manifest does not list: all else would become part of the output.

    That is the unfinished part of a dead worker, or the manifest of a dead attempt.
    """
    quarantine = parts / QUARANTINE
    _keep_only(parts, [*manifest.scored_names, QUARANTINE])
    _keep_only(quarantine, manifest.quarantined_names)
    if not any(quarantine.iterdir()):
        quarantine.rmdir()


def _keep_only(folder: Path, names: Collection[str]) -> None:
    kept = set(names)
    for path in folder.iterdir():
        if path.name not in kept:
            delete_path(path)


def sync_all(parts: Path) -> None:
    """Write the parts and their manifest through to the disk, then the folders that name them."""
    for path in parts.rglob("*.parquet"):
        sync(path)
    sync(parts / MANIFEST_NAME)

    for folder in parts.glob(QUARANTINE):
        sync(folder)
    sync(parts)
