"""The summaries that a person reads, line by line."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tasks.core.windows.window import window_name
from tasks.core.wording import counted

if TYPE_CHECKING:
    from deployments.servers.local import Servers, Status
    from tasks.core.scoring.results import Backfill, Scores, WindowOutcome
    from tasks.core.training.results import Lifecycle, Trained
    from tasks.registry.versions import ListedModel


def trained_lines(done: "Trained") -> list[str]:
    """Return the outcome of a training, and that of each gate."""
    outcome = "passed its gates" if done.verdict.passed else "was REFUSED by its gates"
    champion = "there is no champion"
    if done.champion is not None:
        champion = f"the champion is version {done.champion}"
    reused = ""
    if done.model_reused:
        reused = " (reused: spec and data are unchanged; --retrain trains anew)"

    lines = [f"{done.model} version {done.version} {outcome}, {champion}{reused}"]
    for gate in done.verdict.gates:
        mark = "passed " if gate.passed else "refused"
        lines.append(f"  {mark}  {gate.reason}")
    lines.extend(f"  failed   {item.reason}" for item in done.failed)
    lines.extend(f"  {note}" for note in done.notes)
    return lines


def lifecycle_score_lines(done: "Lifecycle") -> list[str]:
    """Return what a lifecycle scored, if anything."""
    if done.scores is None:
        return ["Nothing was scored: no champion."]
    return score_lines(done.trained.model, done.scores)


def score_lines(model: str, scores: "Scores") -> list[str]:
    """Return what was scored, where the scores are, and the notes of the run."""
    rows = counted(scores.rows_scored, "row")
    how = _speed(scores)
    if scores.reused:
        how = "reused: the same model, source and options"

    lines = [f"{model} version {scores.version} scored {rows} into {scores.output} ({how})"]
    if scores.rows_reused and not scores.reused:
        reused = counted(scores.rows_reused, "row")
        lines.append(f"  of which {reused} by an earlier attempt that did not commit")
    if scores.rows_quarantined:
        quarantined = counted(scores.rows_quarantined, "row")
        lines.append(f"  and put {quarantined} into its _quarantine, which tells why")
    lines.extend(f"  {note}" for note in scores.notes)
    return lines


def _speed(scores: "Scores") -> str:
    seconds = f"{scores.seconds:.1f} s"
    scored_now = scores.rows_scored - scores.rows_reused
    if not scored_now:
        return seconds

    rate = scored_now / max(scores.seconds, 1e-9)
    return f"{seconds}, {rate:,.0f} rows/s"


def problem_lines(problems: Sequence[str], output: str) -> list[str]:
    """Return what a verification found."""
    if not problems:
        return [f"{output}: all is as its manifest says."]

    indented = [f"  {problem}" for problem in problems]
    return [f"{output}:", *indented]


def backfill_lines(done: "Backfill") -> list[str]:
    """Return the outcome of each window, and how many there are of each."""
    due = [window for window in done.windows if window.plan.due]
    scored = [window for window in done.windows if window.scores]
    counts = (
        f"windows: {len(done.windows)}, due: {len(due)}, "
        f"scored: {len(scored)}, failed: {len(done.failed)}"
    )

    lines = [_window_line(window) for window in done.windows]
    return [*lines, f"{done.model} version {done.version}: {counts}"]


def _window_line(window: "WindowOutcome") -> str:
    plan = window.plan
    name = window_name(plan.window)
    outcome = _outcome(window)
    return f"{name}  {plan.status:<8} {plan.why}  {outcome}"


def _outcome(window: "WindowOutcome") -> str:
    if window.error:
        return f"FAILED: {window.error}"
    if window.scores and window.scores.reused:
        return "reused"
    if window.scores:
        return f"rows scored: {window.scores.rows_scored:,}"
    return "due" if window.plan.due else "-"


def model_lines(models: "Sequence[ListedModel]") -> list[str]:
    """Return the aliases and the newest version of each model."""
    if not models:
        return ["No model is registered yet: try `afterfit demo`."]
    return [_model_line(model) for model in models]


def _model_line(model: "ListedModel") -> str:
    named = [f"{alias} is version {version}" for alias, version in model.aliases.items()]
    aliases = ", ".join(named) or "no alias"
    return f"{model.name}: {aliases}; the newest is version {model.newest}"


def status_lines(found: "Status") -> list[str]:
    """Return where the servers are, and whether they run."""
    prefect = _server(found["prefect"])
    mlflow = _server(found["mlflow"])
    return [f"Prefect  {prefect}", f"MLflow   {mlflow}"]


def _server(server: Mapping[str, Any]) -> str:
    url = server["url"] or "never started"
    if not server["running"]:
        return f"{url}  not running"

    pid = f" (pid {server['pid']})" if server["pid"] else ""
    return f"{url}  running{pid}"


def link_lines(servers: "Servers", flow_run_url: str = "") -> list[str]:
    """Return the two URLs; the first is the flow run's if it is known, else Prefect's."""
    prefect = flow_run_url or servers.prefect_ui_url
    return [f"Prefect  {prefect}", f"MLflow   {servers.mlflow_url}"]
