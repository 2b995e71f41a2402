"""Register a judged model, whatever the verdict."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from tasks.core.evaluation.evidence import Measured
from tasks.core.evaluation.verdict import VERDICT_NAME, Verdict, verdict_document
from tasks.core.model.metadata import describe_model
from tasks.core.model.predictor import make_predictor
from tasks.core.model.skops_file import load_pipeline
from tasks.core.model.steps import last_width
from tasks.core.model.version import ModelVersion
from tasks.core.monitoring.profile import profile_table
from tasks.core.spec.spec import Spec
from tasks.core.tables.arrow_files import open_table
from tasks.core.tables.frames import to_frame
from tasks.core.training.table import SplitTable
from tasks.idempotent import idempotent_task
from tasks.registry import files

EXAMPLE_ROWS = 100
GIT_SECONDS = 10


@idempotent_task(task_run_name="register {challenger.candidate} as {spec.name}")
def register_version(
    challenger: Measured, verdict: Verdict, spec: Spec, table: SplitTable, tags: dict[str, str]
) -> ModelVersion:
    """Store the model that was judged, with its evidence, as a new version: the challenger."""
    folder = Path(challenger.path).with_name("model")
    write_model(folder, challenger, verdict, spec, table, origin_of(tags))

    outcome = "passed" if verdict.passed else "refused"
    evidence = {
        "candidate": challenger.candidate,
        "verdict": outcome,
        "verdict_reasons": "; ".join(verdict.reasons)[:1000],
        "metrics": json.dumps(challenger.metrics),
        "flow_run_id": str(flow_run.id or ""),
        "git_commit": git_commit(spec.data.source),
        "training_window": training_window(table, spec),
    }
    version = files.register(spec.name, folder, {**tags, **evidence}, challenger.metrics)

    get_run_logger().info("registered %s version %s (%s)", version.name, version.version, outcome)
    return version


def write_model(
    folder: Path,
    challenger: Measured,
    verdict: Verdict,
    spec: Spec,
    table: SplitTable,
    origin: Mapping[str, object],
) -> None:
    """Write the model, and beside it its metadata, verdict and training profile."""
    pipeline = load_pipeline(Path(challenger.path))
    rows = open_table(table.held_out)
    example = to_frame(rows.slice(0, EXAMPLE_ROWS), table.features)
    files.save_model(pipeline, folder, pipeline.predict(example), example)

    describe_model(spec, table.features, table.split, last_width(pipeline)).write(folder)

    evidence = {"metrics": challenger.metrics, "segments": challenger.segments}
    _write_json(folder / VERDICT_NAME, {**verdict_document(verdict), **evidence, **origin})

    predictions = make_predictor(pipeline, table.features).predict(rows, proba=False)
    profile = profile_table(open_table(table.train), table.features, predictions.values)
    _write_json(folder / "profile.json", profile)


def origin_of(tags: Mapping[str, str]) -> dict[str, object]:
    """Return what decides later whether a version is reused: here no one can change it.

    >>> origin_of({"training_key": "5f", "judged_against": ""})
    {'training_key': '5f', 'judged_against': None}
    """
    against = tags["judged_against"]
    return {
        "training_key": tags["training_key"],
        "judged_against": int(against) if against else None,
    }


def _write_json(path: Path, document: dict[str, object]) -> None:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def git_commit(source: str) -> str:
    """Return the commit of the repository that a source lies in, or an empty string."""
    folder = Path(source.split("*", maxsplit=1)[0]).parent
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        asked = subprocess.run(  # noqa: S603 - git alone, and no shell
            command, capture_output=True, text=True, check=True, timeout=GIT_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip()


def training_window(table: SplitTable, spec: Spec) -> str:
    """Return the first and the last time of the rows that train, where the spec names a time."""
    if spec.data.time is None:
        return ""
    times = open_table(table.train)[spec.data.time].to_numpy()
    return f"{times.min()} to {times.max()}"
