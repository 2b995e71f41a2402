"""The answers of the commands: one JSON object, or a short summary for a person.

Each function writes the answer to standard output and returns the exit status. The keys of the JSON
objects are what scripts read.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployments.cli import lazy, summary
from deployments.cli.screen import shown
from tasks.core.windows.backfill import make_document

if TYPE_CHECKING:
    from deployments.servers.local import Servers, Status
    from tasks.core.scoring.results import Backfill, Scores, WindowOutcome
    from tasks.core.training.results import Lifecycle, Trained
    from tasks.registry.versions import ListedModel

DONE = 0
FAILED = 1
REFUSED = 3


def lifecycle(
    done: "Lifecycle", servers: "Servers", as_json: bool, more: Sequence[str] = ()
) -> int:
    """Answer with the results of a lifecycle; `more` lines follow the summary."""
    document = {
        **_trained_document(done.trained),
        "scores": asdict(done.scores) if done.scores else None,
        "flow_run_url": done.flow_run_url,
    }
    lines = [
        *summary.trained_lines(done.trained),
        *summary.lifecycle_score_lines(done),
        *summary.link_lines(servers, done.flow_run_url),
        *more,
    ]

    _write(document, lines, as_json)
    return _status_of(done.trained)


def trained(done: "Trained", servers: "Servers", as_json: bool) -> int:
    """Answer with the result of a training."""
    lines = [*summary.trained_lines(done), *summary.link_lines(servers)]

    _write(_trained_document(done), lines, as_json)
    return _status_of(done)


def _trained_document(done: "Trained") -> dict[str, Any]:
    return {
        "model": done.model,
        "version": done.version,
        "alias": done.alias,
        "promoted": done.promoted,
        "model_reused": done.model_reused,
        "verdict": lazy.verdict.verdict_document(done.verdict),
        "failed": [{"candidate": item.candidate, "reason": item.reason} for item in done.failed],
        "notes": list(done.notes),
    }


def _status_of(done: "Trained") -> int:
    """Return the exit status: a refused version that a person promoted by force is no failure."""
    if done.verdict.passed or done.alias == "champion":
        return DONE
    return REFUSED


def written(spec: Path, notes: Sequence[str], as_json: bool) -> int:
    """Answer with the path of a first spec, and the notes on its table."""
    line = f"Wrote {spec}. Look it over, then: afterfit run {spec.name}"
    indented = [f"  {note}" for note in notes]

    _write({"spec": str(spec), "notes": list(notes)}, [line, *indented], as_json)
    return DONE


def scored(model: str, scores: "Scores", servers: "Servers", as_json: bool) -> int:
    """Answer with the result of a scoring run; `model` may name an alias or a version."""
    name = model.partition("/")[0].partition("@")[0]
    document = {"model": name, **asdict(scores)}
    lines = [*summary.score_lines(name, scores), *summary.link_lines(servers)]

    _write(document, lines, as_json)
    return DONE


def verified(problems: Sequence[str], output: str, as_json: bool) -> int:
    """Answer with the problems that a verification found."""
    document = {"ok": not problems, "problems": list(problems)}

    _write(document, summary.problem_lines(problems, output), as_json)
    return FAILED if problems else DONE


def backfilled(done: "Backfill", servers: "Servers | None", as_json: bool) -> int:
    """Answer with the outcome of each window of a backfill."""
    windows = [_window_document(window) for window in done.windows]
    document = {"model": done.model, "version": done.version, "windows": windows}
    lines = summary.backfill_lines(done)
    if servers:
        lines += summary.link_lines(servers)

    _write(document, lines, as_json)
    return FAILED if done.failed else DONE


def _window_document(window: "WindowOutcome") -> dict[str, Any]:
    return {
        **make_document(window.plan),
        "scores": asdict(window.scores) if window.scores else None,
        "error": window.error,
    }


def promoted(model: str, version: int, replaced: int | None, as_json: bool) -> int:
    """Answer with the new champion and the version it replaced."""
    before = "" if replaced is None else f", before it was {replaced}"
    line = f"{model}: the champion is version {version}{before}."
    document = {"model": model, "version": version, "replaced": replaced}

    _write(document, [line], as_json)
    return DONE


def rolled_back(model: str, restored: int, replaced: int, as_json: bool) -> int:
    """Answer with the champion of before and the version it replaced."""
    line = f"{model}: the champion is version {restored} again, instead of {replaced}."
    document = {"model": model, "version": restored, "replaced": replaced}

    _write(document, [line], as_json)
    return DONE


def listed(models: "Sequence[ListedModel]", as_json: bool) -> int:
    """Answer with the registered models; the `version` is the champion's, else the newest."""
    documents = [
        {
            "name": model.name,
            "version": model.aliases.get("champion", model.newest),
            "aliases": model.aliases,
        }
        for model in models
    ]

    _write({"models": documents}, summary.model_lines(models), as_json)
    return DONE


def status(found: "Status", as_json: bool) -> int:
    """Answer with the state of the servers."""
    _write(found, summary.status_lines(found), as_json)
    return DONE


def stopped(servers: Sequence[str], as_json: bool) -> int:
    """Answer with the names of the servers that were stopped."""
    line = f"Stopped: {', '.join(servers) or 'nothing was running'}."

    _write({"stopped": list(servers)}, [line], as_json)
    return DONE


def opened(page: Path, as_json: bool) -> int:
    """Answer with the page that was opened in a browser."""
    _write({"page": str(page)}, [f"Opened {page}"], as_json)
    return DONE


def exported(variables: Mapping[str, str], exports: str, as_json: bool) -> int:
    """Answer with the variables of the servers, as an object or as `exports` for a shell."""
    # As they are: a shell evaluates them, with what is secret in them.
    _put(json.dumps({"environment": variables}) if as_json else exports)
    return DONE


def _write(document: Mapping[str, Any], lines: Sequence[str], as_json: bool) -> None:
    answer = json.dumps(document) if as_json else "\n".join(shown(line) for line in lines)
    _put(answer)


def _put(answer: str) -> None:
    sys.stdout.write(f"{answer}\n")
    sys.stdout.flush()
