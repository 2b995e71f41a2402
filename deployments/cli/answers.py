"""The answers of the command line: one JSON object, or a short summary for a person. Each gives the
exit status.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deployments.servers.local import Servers, Status
    from tasks.core.scoring.results import Backfill, Scores
    from tasks.core.training.results import Lifecycle, Trained
    from tasks.registry.versions import ListedModel

REFUSED = 3


def plain(document: Mapping[str, Any], text: str, as_json: bool) -> int:
    """Answer with a document or a text."""
    return _write(document, [text], as_json)


def lifecycle(
    done: "Lifecycle", servers: "Servers", as_json: bool, more: Sequence[str] = ()
) -> int:
    """Answer what a run of the lifecycle did."""
    scores = asdict(done.scores) if done.scores else None
    document = {
        **_trained_document(done.trained),
        "scores": scores,
        "flow_run_url": done.flow_run_url,
    }
    scored_lines = (
        _score_lines(done.trained.model, done.scores)
        if done.scores
        else ["Nothing was scored: no champion."]
    )
    lines = [
        *_trained_lines(done.trained),
        *scored_lines,
        *_links(done.flow_run_url, servers),
        *more,
    ]
    _write(document, lines, as_json)
    return _gates(done.trained)


def trained(done: "Trained", servers: "Servers", as_json: bool) -> int:
    """Answer what a training did."""
    _write(
        _trained_document(done),
        [*_trained_lines(done), *_links(servers.prefect_ui_url, servers)],
        as_json,
    )
    return _gates(done)


def _gates(done: "Trained") -> int:
    """Give the exit status: a refused version that somebody promoted by force is in use, and no
    news.
    """
    return 0 if done.verdict.passed or done.alias == "champion" else REFUSED


def scored(model: str, scores: "Scores", servers: "Servers", as_json: bool) -> int:
    """Answer what a scoring run did."""
    name = model.partition("/")[0].partition("@")[0]
    lines = [*_score_lines(name, scores), *_links(servers.prefect_ui_url, servers)]
    return _write({"model": name, **asdict(scores)}, lines, as_json)


def backfilled(done: "Backfill", servers: "Servers | None", as_json: bool) -> int:
    """Answer what became of each window of a backfill."""
    from tasks.core.windows.backfill import make_document

    rows = [
        {
            **make_document(window.plan),
            "scores": window.scores and asdict(window.scores),
            "error": window.error,
        }
        for window in done.windows
    ]
    lines = [_window_line(row) for row in rows]
    lines.append(f"{done.model} version {done.version}: {_counted(rows)}")
    document = {"model": done.model, "version": done.version, "windows": rows}
    _write(
        document, [*lines, *(_links(servers.prefect_ui_url, servers) if servers else [])], as_json
    )
    return 1 if done.failed else 0


def _window_line(row: Mapping[str, Any]) -> str:
    outcome = "due" if row["due"] else "-"
    if row["scores"]:
        outcome = (
            "reused"
            if row["scores"]["reused"]
            else f"rows scored: {row['scores']['rows_scored']:,}"
        )
    return f"{row['window']}  {row['status']:<8} {row['why']}  {'FAILED: ' + row['error'] if row['error'] else outcome}"


def _counted(rows: Sequence[Mapping[str, Any]]) -> str:
    due, scored, failed = (
        sum(bool(row[name]) for row in rows) for name in ("due", "scores", "error")
    )
    return f"windows: {len(rows)}, due: {due}, scored: {scored}, failed: {failed}"


def verified(problems: Sequence[str], output: str, as_json: bool) -> int:
    """Answer what a verification found."""
    lines = (
        [f"{output}: all is as its manifest says."]
        if not problems
        else [f"{output}:", *(f"  {p}" for p in problems)]
    )
    _write({"ok": not problems, "problems": list(problems)}, lines, as_json)
    return 1 if problems else 0


def listed(models: "Sequence[ListedModel]", as_json: bool) -> int:
    """Answer which models there are. A model's `version` is its champion's, else its newest."""
    rows = [
        {
            "name": model.name,
            "version": model.aliases.get("champion", model.newest),
            "aliases": model.aliases,
        }
        for model in models
    ]
    lines = [f"{model.name}: {_aliases(model)}" for model in models] or [
        "No model is registered yet: try `afterfit demo`."
    ]
    return _write({"models": rows}, lines, as_json)


def _aliases(model: "ListedModel") -> str:
    named = ", ".join(f"{alias} is version {version}" for alias, version in model.aliases.items())
    return f"{named or 'no alias'}; the newest is version {model.newest}"


def status(found: "Status", as_json: bool) -> int:
    """Answer where the servers are."""
    lines = [f"Prefect  {_server(found['prefect'])}", f"MLflow   {_server(found['mlflow'])}"]
    return _write(found, lines, as_json)


def _server(server: Mapping[str, Any]) -> str:
    pid = f" (pid {server['pid']})" if server["pid"] else ""
    return f"{server['url'] or 'never started'}  {'running' + pid if server['running'] else 'not running'}"


def _trained_document(done: "Trained") -> dict[str, Any]:
    from tasks.core.evaluation.verdict import verdict_document

    return {
        "model": done.model,
        "version": done.version,
        "alias": done.alias,
        "promoted": done.promoted,
        "model_reused": done.model_reused,
        "verdict": verdict_document(done.verdict),
    }


def _trained_lines(done: "Trained") -> list[str]:
    outcome = "passed its gates" if done.verdict.passed else "was REFUSED by its gates"
    reused = (
        " (reused: spec and data are unchanged; --retrain trains anew)" if done.model_reused else ""
    )
    now = (
        f", the champion is version {done.champion}" if done.champion else ", there is no champion"
    )
    gates = [
        f"  {'passed ' if gate.passed else 'refused'}  {gate.reason}" for gate in done.verdict.gates
    ]
    return [f"{done.model} version {done.version} {outcome}{now}{reused}", *gates]


def _score_lines(model: str, scores: "Scores") -> list[str]:
    from tasks.core.wording import counted

    scored_now = scores.rows_scored - scores.rows_reused
    rate = f"{scores.seconds:.1f} s" + (
        f", {scored_now / max(scores.seconds, 1e-9):,.0f} rows/s" if scored_now else ""
    )
    how = "reused: the same model, source and options" if scores.reused else rate
    rows = counted(scores.rows_scored, "row")
    lines = [f"{model} version {scores.version} scored {rows} into {scores.output} ({how})"]
    if scores.rows_reused and not scores.reused:
        lines.append(
            f"  of which {counted(scores.rows_reused, 'row')} by an earlier attempt that did not commit"
        )
    if scores.rows_quarantined:
        lines.append(
            f"  and put {counted(scores.rows_quarantined, 'row')} into its _quarantine, which tells why"
        )
    return [*lines, *(f"  {note}" for note in scores.notes)]


def _links(prefect: str, servers: "Servers") -> list[str]:
    return [f"Prefect  {prefect or servers.prefect_ui_url}", f"MLflow   {servers.mlflow_url}"]


def _write(document: Mapping[str, Any], lines: Sequence[str], as_json: bool) -> int:
    sys.stdout.write((json.dumps(document) if as_json else "\n".join(lines)) + "\n")
    sys.stdout.flush()
    return 0
