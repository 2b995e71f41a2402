"""Plan a scoring run: name it by what its content depends on, and cut its source into bundles."""

from pathlib import Path

from prefect.logging import get_run_logger

from tasks.core.card import ModelVersion, read_card
from tasks.core.errors import RequestError
from tasks.core.manifest import Manifest, is_whole, read_manifest
from tasks.core.pieces import Bundle
from tasks.core.plan import Run, name_run, plan_bundles, rows_of
from tasks.core.spec import Scoring
from tasks.read import Source
from tasks.uncached import uncached_task


@uncached_task(task_run_name="plan the run of {model.name} version {model.version}")
def plan_run(model: ModelVersion, source: Source, output: str, options: Scoring | None) -> Run:
    """Name a scoring run by its key."""
    run = name_run(model, read_card(Path(model.folder)), source.files, Path(output), options)
    get_run_logger().info("run key %s: %s files, output %s", run.key[:8], len(run.files), run.output)
    return run


@uncached_task(task_run_name="check the source and cut it into pieces")
def plan_scoring(run: Run, folder: str) -> tuple[Bundle, ...]:
    """Check every file against the model, and cut the source into bundles of pieces."""
    bundles = plan_bundles(run, read_card(Path(run.model.folder)), Path(folder))
    pieces = [piece for bundle in bundles for piece in bundle.pieces]
    get_run_logger().info("%s rows in %s pieces, %s bundles", f"{rows_of(pieces):,}", len(pieces), len(bundles))
    return bundles


def find_committed(run: Run, *, replace: bool) -> Manifest | None:
    """Find the same run's committed output; another run's is an error unless it may be replaced.

    Raises:
        RequestError: the output holds other scores.
    """
    output = Path(run.output)
    manifest = read_manifest(output)
    if manifest is None:
        return None
    if manifest.run_key == run.key and is_whole(output, manifest):
        return manifest
    if not replace and manifest.run_key != run.key:
        raise RequestError(
            f"{output} holds scores of {manifest.model} version {manifest.version} from another run: "
            "add --replace to swap them, or name another output."
        )
    return None
