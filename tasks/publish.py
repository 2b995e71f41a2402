"""Report to people: artifacts of the Prefect UI, and progress for whoever listens."""

import re
from collections import Counter

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)

from tasks.core.evaluation.evidence import Measured
from tasks.core.evaluation.verdict import Verdict
from tasks.core.model.version import ModelVersion
from tasks.core.output.manifest import Manifest
from tasks.core.scoring.results import Backfill, Scores
from tasks.core.windows.backfill import make_document
from tasks.registry.client import version_url


def publish_candidates(measured: list[Measured], best: Measured, name: str) -> None:
    """Show the metrics of all candidates as a table."""
    table = [_figures_of(item) | {"best": "yes" if item is best else ""} for item in measured]
    create_table_artifact(
        table,
        key=artifact_key("candidates", name),
        description=f"Candidates of {name} on the held-out rows",
    )


def _figures_of(item: Measured) -> dict[str, str]:
    return {"candidate": item.candidate, **_shown(item.metrics)}


def _shown(metrics: dict[str, float]) -> dict[str, str]:
    return {name: f"{value:.5g}" for name, value in metrics.items()}


def publish_segments(best: Measured, name: str) -> None:
    """Show the metrics of the best candidate segment by segment, where the spec names a segment."""
    table = [{"segment": segment, **_shown(metrics)} for segment, metrics in best.segments.items()]
    if table:
        create_table_artifact(
            table, key=artifact_key("segments", name), description=f"{best.candidate} by segment"
        )


def publish_verdict(verdict: Verdict, candidate: str, name: str) -> None:
    """Show the verdict as a table, one row a gate."""
    table = [
        {"gate": gate.name, "outcome": "passed" if gate.passed else "refused", "why": gate.reason}
        for gate in verdict.gates
    ]
    outcome = "may go live" if verdict.passed else "is refused"
    known = verdict.rows_seen_by_champion
    seen = f", {known:,} more were left out (the champion may know them)" if known else ""
    description = f"**{candidate} {outcome}**, judged on {verdict.rows:,} held-out rows{seen}."
    create_table_artifact(table, key=artifact_key("verdict", name), description=description)


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
    rate = (
        f"{(scores.rows_scored - scores.rows_reused) / scores.seconds:,.0f} rows/s"
        if scores.seconds
        else "reused"
    )
    lines = [
        f"### {model} version {scores.version} scored {scores.rows_scored:,} rows",
        "",
        "| figure | value |",
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
    if reasons:
        table = [{"reason": reason, "rows": f"{rows:,}"} for reason, rows in reasons.most_common()]
        create_table_artifact(
            table,
            key=artifact_key("quarantine", model),
            description=f"Rows of {model} in quarantine",
        )


def publish_backfill(done: Backfill) -> None:
    """Show what became of each window."""
    table = [
        {
            **make_document(window.plan),
            "outcome": window.error or (window.scores and "scored") or "not run",
        }
        for window in done.windows
    ]
    create_table_artifact(
        table, key=artifact_key("backfill", done.model), description=f"Windows of {done.model}"
    )


def artifact_key(kind: str, name: str) -> str:
    """Make an artifact key, which may hold lowercase letters, digits and dashes.

    >>> artifact_key("verdict", "Bike_Demand.2")
    'verdict-bike-demand-2'
    """
    return f"{kind}-{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}"
