"""Plan a scoring run: name it by what its content depends on, and cut its source into pieces."""

from dataclasses import dataclass, replace
from pathlib import Path

from prefect.logging import get_run_logger

from tasks.core.card import ModelVersion, read_card
from tasks.core.errors import AfterfitError, RequestError, counted
from tasks.core.manifest import Manifest, Part, read_manifest
from tasks.core.pieces import Piece
from tasks.core.plan import Plan, Run, name_run, plan_source
from tasks.core.quarantine import allowed_rows, check_budget
from tasks.core.spec import Scoring
from tasks.core.staging import Staging, reusable_parts
from tasks.core.verify import is_whole, verify_output
from tasks.read import Source
from tasks.uncached import uncached_task


@dataclass(frozen=True)
class Planned:
    """A run, its pieces, and the parts that an earlier attempt finished, by number."""

    run: Run
    plan: Plan
    finished: dict[int, Part]

    @property
    def unfinished(self) -> list[Piece]:
        """The pieces that are still to be scored."""
        return [piece for piece in self.plan.pieces if piece.number not in self.finished]

    @property
    def rows_unfinished(self) -> int:
        """How many rows they have."""
        return sum(piece.rows for piece in self.unfinished)


@uncached_task(task_run_name="plan the run of {model.name} version {model.version}")
def plan_run(
    model: ModelVersion, source: Source, output: str, options: Scoring | None, max_bad_rows: float | None = None
) -> Run:
    """Name a scoring run by its key."""
    if max_bad_rows is not None:
        check_budget(max_bad_rows)
    run = name_run(model, read_card(Path(model.folder)), source.files, output, options)
    get_run_logger().info("run key %s: %s files, output %s", run.key[:8], len(source.files), run.output)
    return run if max_bad_rows is None else replace(run, max_bad_rows=max_bad_rows)


@uncached_task(task_run_name="check the source and cut it into pieces")
def plan_scoring(run: Run, source: Source, staging: Staging) -> Planned:
    """Check every file against the model, cut the source into pieces, and find those that are scored already."""
    run, plan = plan_source(run, source.files, read_card(Path(run.model.folder)), Path(staging.tables))
    finished = reusable_parts(staging, plan.pieces, plan.part_names(run))
    get_run_logger().info(
        "%s rows in %s pieces, %s of them scored already", f"{plan.rows:,}", len(plan.pieces), len(finished)
    )
    for note in plan.notes:
        get_run_logger().info("%s", note)
    return Planned(run, plan, finished)


def find_committed(run: Run, *, replace: bool) -> Manifest | None:
    """Find the same run's committed output; another run's is an error unless it may be replaced.

    With `replace`, the same run's is held against its digests, byte for byte: what is damaged is scored anew.

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
