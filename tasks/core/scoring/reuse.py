"""Reuse: scores that are committed already."""

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output.manifest import Manifest, read_manifest
from tasks.core.output.quarantine import allowed_rows
from tasks.core.output.verify import is_whole, verify_output
from tasks.core.scoring.run import ScoringRun
from tasks.core.wording import counted


def find_committed(run: ScoringRun, *, replace: bool) -> Manifest | None:
    """Find the same run's committed output; another run's is an error unless it may be replaced.

    With `replace`, the same run's is held against its digests, byte for byte: what is damaged is
    scored anew.

    Raises:
        RequestError: the output holds other scores, or nothing that can be read.
        AfterfitError: it holds these scores, with more rows in quarantine than may be.
    """
    try:
        manifest = read_manifest(run.output)
    except RequestError as error:
        if replace:
            return None
        raise RequestError(f"{error} Score it anew with --replace.") from error
    if manifest is None:
        return None
    same = manifest.run_key == run.key
    if same and (not verify_output(run.output) if replace else is_whole(run.output, manifest)):
        if manifest.rows_quarantined > allowed_rows(run.max_bad_rows, manifest.rows_in):
            raise AfterfitError(
                f"{run.output} holds these scores already, with {counted(manifest.rows_quarantined, 'row')} in "
                "quarantine, which is more than may be: mend the source, or allow them with --max-bad-rows."
            )
        return manifest
    if not replace and not same:
        raise RequestError(
            f"{run.output} holds scores of {manifest.model} version {manifest.version} from another run: "
            "add --replace to swap them, or name another output."
        )
    return None
