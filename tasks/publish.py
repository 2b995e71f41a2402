"""Publish results to people: artifacts of the Prefect UI."""

import re
from collections import Counter
from collections.abc import Sequence

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)

from tasks.core.evaluation.evidence import Measured
from tasks.core.evaluation.verdict import Verdict
from tasks.core.model.version import ModelVersion
from tasks.core.output.manifest import Manifest
from tasks.core.scoring.results import Backfill, Scores, WindowOutcome
from tasks.core.training.results import FailedCandidate
from tasks.core.windows.backfill import make_document
from tasks.registry.client import version_url


def publish_candidates(
    measured: Sequence[Measured], best: Measured, failed: Sequence[FailedCandidate], name: str
) -> None:
    """Show the metrics of all candidates as a table, and why some have none."""
    table = []
    for item in measured:
        row = {"candidate": item.candidate, **_rounded(item.metrics)}
        row["best"] = "yes" if item is best else ""
        table.append(row)

    if failed:
        table = [{**row, "failed": ""} for row in table]
    table += [{"candidate": item.candidate, "failed": item.reason} for item in failed]

    description = f"Candidates of {name} on the held-out rows"
    create_table_artifact(table, key=artifact_key("candidates", name), description=description)


def publish_segments(best: Measured, name: str) -> None:
    """Show the metrics of the best candidate by segment, where the spec names a segment."""
    table = [
        {"segment": segment, **_rounded(metrics)} for segment, metrics in best.segments.items()
    ]
    if table:
        description = f"{best.candidate} by segment"
        create_table_artifact(table, key=artifact_key("segments", name), description=description)


def _rounded(metrics: dict[str, float]) -> dict[str, str]:
    return {name: f"{value:.5g}" for name, value in metrics.items()}


def publish_verdict(verdict: Verdict, candidate: str, name: str) -> None:
    """Show the verdict as a table, one row a gate."""
    table = []
    for gate in verdict.gates:
        outcome = "passed" if gate.passed else "refused"
        table.append({"gate": gate.name, "outcome": outcome, "why": gate.reason})

    outcome = "may go live" if verdict.passed else "is refused"
    description = f"**{candidate} {outcome}**, judged on {verdict.rows:,} held-out rows"
    if verdict.rows_seen_by_champion:
        known = f"{verdict.rows_seen_by_champion:,}"
        description += f", {known} more were left out (the champion may know them)"

    create_table_artifact(table, key=artifact_key("verdict", name), description=f"{description}.")


def publish_version(version: ModelVersion) -> None:
    """Link the version's page in MLflow."""
    create_link_artifact(
        version_url(version.name, version.version),
        link_text=f"{version.name} version {version.version} in MLflow",
        key=artifact_key("model", version.name),
        description=f"The registered version of {version.name}: files, tags and evidence.",
    )


def publish_scores(scores: Scores, model: str) -> None:
    """Sum up a scoring run."""
    rate = "reused"
    if scores.seconds:
        rate = f"{(scores.rows_scored - scores.rows_reused) / scores.seconds:,.0f} rows/s"

    lines = [
        f"### {model} version {scores.version} scored {scores.rows_scored:,} rows",
        "",
        "| what | value |",
        "|---|---|",
        f"| rows in | {scores.rows_in:,} |",
        f"| rows scored | {scores.rows_scored:,} |",
        f"| of which by an earlier attempt | {scores.rows_reused:,} |",
        f"| rows quarantined | {scores.rows_quarantined:,} |",
        f"| parts | {scores.parts} |",
        f"| time | {scores.seconds:.1f} s ({rate}) |",
        f"| output | `{scores.output}` |",
        f"| run key | `{scores.run_key[:16]}` |",
    ]
    create_markdown_artifact(
        "\n".join(lines), key=artifact_key("scores", model), description=f"Scores of {model}"
    )


def publish_quarantine(manifest: Manifest, model: str) -> None:
    """Show how many rows were not scored, by reason, if any."""
    reasons = Counter[str]()
    for part in manifest.parts:
        reasons.update(part.reasons)

    table = [{"reason": reason, "rows": f"{rows:,}"} for reason, rows in reasons.most_common()]
    if table:
        description = f"Rows of {model} in quarantine"
        create_table_artifact(table, key=artifact_key("quarantine", model), description=description)


def publish_backfill(done: Backfill) -> None:
    """Show what became of each window."""
    table = [
        {**make_document(window.plan), "outcome": _outcome_of(window)} for window in done.windows
    ]
    description = f"Windows of {done.model}"
    create_table_artifact(table, key=artifact_key("backfill", done.model), description=description)


def _outcome_of(window: WindowOutcome) -> str:
    if window.error:
        return window.error
    return "scored" if window.scores else "not run"


def artifact_key(kind: str, name: str) -> str:
    """Return an artifact key, which may hold lowercase letters, digits and dashes.

    >>> artifact_key("verdict", "Bike_Demand.2")
    'verdict-bike-demand-2'
    """
    words = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{kind}-{words}"
