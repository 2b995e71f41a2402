"""Reuse: scores that are committed already."""

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output.manifest import Manifest, read_manifest
from tasks.core.output.quarantine import allowed_rows
from tasks.core.output.verify import is_whole, verify_output
from tasks.core.scoring.run import Destination
from tasks.core.wording import counted


def find_committed(destination: Destination, *, replace: bool) -> Manifest | None:
    """Return the committed output of the same run, or None where there is something to do.

    With `replace`, it is held against its digests, byte for byte: damaged scores are scored anew.

    Raises:
        RequestError: the output holds other scores that may not be replaced, or cannot be read.
        AfterfitError: it holds these scores, with more rows in quarantine than allowed.
    """
    manifest = _read_manifest(destination.output, replace=replace)
    if manifest is None:
        return None

    is_same = manifest.run_key == destination.run_key
    if is_same and _is_intact(destination.output, manifest, thoroughly=replace):
        _check_budget(destination, manifest)
        return manifest

    if not (replace or is_same):
        raise RequestError(
            f"{destination.output} holds scores of {manifest.model} version {manifest.version} "
            "from another run: add --replace to swap them, or name another output."
        )
    return None


def _read_manifest(output: str, *, replace: bool) -> Manifest | None:
    try:
        return read_manifest(output)
    except RequestError as error:
        if replace:
            return None
        raise RequestError(f"{error} Score it anew with --replace.") from error


def _is_intact(output: str, manifest: Manifest, *, thoroughly: bool) -> bool:
    if thoroughly:
        return not verify_output(output)
    return is_whole(output, manifest)


def _check_budget(destination: Destination, manifest: Manifest) -> None:
    """Refuse committed scores with more rows in quarantine than this run allows."""
    allowed = allowed_rows(destination.max_bad_rows, manifest.rows_in)
    if manifest.rows_quarantined > allowed:
        found = counted(manifest.rows_quarantined, "row")
        raise AfterfitError(
            f"{destination.output} holds these scores already, with {found} in quarantine, which "
            "is more than may be: mend the source, or allow them with --max-bad-rows."
        )
