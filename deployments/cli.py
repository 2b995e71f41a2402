"""The `afterfit` command: parses, calls one flow or one helper, prints."""

import gc
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from deployments import answer
from deployments.console import PrefectGoneError, UnexpectedError, leave, say, waiting, watched
from deployments.own import refuse_strangers


def _version() -> str:
    from importlib.metadata import version

    return version("afterfit")


app = App(
    name="afterfit",
    help="Everything that comes after .fit(): train, judge, register, promote and score scikit-learn models.\n\n"
    "Start with `afterfit demo`, or with your own table: `afterfit init sales.csv --target amount`.",
    version=_version,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `main` says a sentence about it
)


@Parameter(name="*")
@dataclass(frozen=True)
class Talk:
    """How a command answers."""

    json: Annotated[bool, Parameter(negative=())] = False
    "Print exactly one JSON object on standard output, everything else on standard error."
    verbose: Annotated[bool, Parameter(negative=())] = False
    "Show the logs of Prefect, Dask and MLflow."


@Parameter(name="*")
@dataclass(frozen=True)
class Work(Talk):
    """Where the work is done."""

    workers: int | None = None
    "Worker processes to start on this machine; by default threads of this process, which suit nearly all models."
    cluster: str | None = None
    "The address of a Dask scheduler that runs, such as tls://10.0.0.5:8786 (see docs/clusters.md)."


@Parameter(name="*")
@dataclass(frozen=True)
class SpecWork(Work):
    """How a spec is changed for one command."""

    set: Annotated[list[str], Parameter(negative=())] = field(default_factory=list)
    "Change a field of the spec, as in --set data.target=cnt; can be given many times."


INTERRUPTED = 130
TALK, WORK, SPEC_WORK = Talk(), Work(), SpecWork()


@app.command
def demo(*, work: Work = WORK) -> int:
    """Run the main job on real data that ships with scikit-learn.

    Trains, judges, registers and promotes a model, then scores a million rows with it.
    """
    from deployments.demo import next_steps
    from deployments.local import home

    with watched(work.json, work.verbose, work.cluster) as servers:
        from flows.lifecycle import run_lifecycle
        from tasks.core.demo import write_demo
        from tasks.core.spec_file import load_spec

        path = write_demo(home() / "demo")
        done = run_lifecycle(load_spec(path), workers=work.workers, cluster=work.cluster)
    return answer.lifecycle(done, servers, work.json, more=next_steps(path))


@app.command
def run(spec: Path, *, retrain: bool = False, work: SpecWork = SPEC_WORK) -> int:
    """Run the whole lifecycle for a spec: train, judge, register, promote, score.

    Example: `afterfit run bike.yaml --set data.target=cnt`

    Args:
        spec: The YAML file that describes the model.
        retrain: Train even if nothing has changed since the last time.
    """
    from tasks.core.spec_file import load_spec

    loaded = load_spec(spec, work.set)
    with watched(work.json, work.verbose, work.cluster) as servers:
        from flows.lifecycle import run_lifecycle

        done = run_lifecycle(loaded, retrain=retrain, workers=work.workers, cluster=work.cluster)
    return answer.lifecycle(done, servers, work.json)


@app.command
def train(spec: Path, *, retrain: bool = False, work: SpecWork = SPEC_WORK) -> int:
    """Fit the candidates, judge the best, register it; promote it if the verdict allows.

    Example: `afterfit train bike.yaml --retrain`

    Args:
        spec: The YAML file that describes the model.
        retrain: Train even if nothing has changed since the last time.
    """
    from tasks.core.spec_file import load_spec

    loaded = load_spec(spec, work.set)
    with watched(work.json, work.verbose, work.cluster) as servers:
        from flows.lifecycle import train_model

        trained = train_model(loaded, retrain=retrain, workers=work.workers, cluster=work.cluster)
    return answer.trained(trained, servers, work.json)


@app.command
def score(
    model: str,
    source: str,
    output: str,
    *,
    replace: bool = False,
    max_bad_rows: float | None = None,
    work: Work = WORK,
) -> int:
    """Score a table with a registered model.

    Example: `afterfit score bike-demand new.csv scores`

    Args:
        model: NAME (its champion), NAME@ALIAS or NAME/VERSION.
        source: A file, a folder, a glob or an fsspec URL; Parquet or CSV.
        output: The folder or URL that will hold the scores; it appears whole or not at all.
        replace: Swap the scores of another run that are there.
        max_bad_rows: How many rows that cannot be scored may go to OUTPUT/_quarantine: a count, or a share such as
            0.01; by default what the model's spec says (none).
    """
    from tasks.core.inputs import digesting_ahead
    from tasks.core.spec_file import absolute

    source, output = absolute(source, Path.cwd()), absolute(output, Path.cwd())
    with digesting_ahead(source), watched(work.json, work.verbose, work.cluster) as servers:
        from flows.scoring import score_batch

        scores = score_batch(model, source, output, replace, max_bad_rows, work.workers, work.cluster)
    return answer.scored(model, scores, servers, work.json)


@app.command
def verify(output: str, *, talk: Talk = TALK) -> int:
    """Check a committed output against its manifest: every part, row count and digest.

    Example: `afterfit verify scores`

    Args:
        output: The folder or URL that holds the scores.
    """
    from tasks.core.spec_file import absolute
    from tasks.core.verify import verify_output

    return answer.verified(verify_output(absolute(output, Path.cwd())), output, talk.json)


@app.command
def init(table: str, *, target: str, output: Path | None = None, talk: Talk = TALK) -> int:
    """Write a first spec for a CSV or Parquet file, with comments.

    Example: `afterfit init sales.csv --target amount`

    Args:
        table: A file, a folder or a glob.
        target: The column to predict.
        output: Where to write the spec; by default beside the table, ending in .yaml.
    """
    from tasks.core.first_spec import write_first_spec
    from tasks.core.spec_file import absolute

    source = absolute(table, Path.cwd())
    path = (output or Path(source.split("*")[0].rstrip("/")).with_suffix(".yaml")).absolute()
    write_first_spec(source, target, path)
    return answer.plain({"spec": str(path)}, f"Wrote {path}. Look it over, then: afterfit run {path.name}", talk.json)


@app.command
def register(model: Path, spec: Path, *, work: SpecWork = SPEC_WORK) -> int:
    """Bring a model fitted elsewhere (a skops file) through the gates of a spec.

    Example: `afterfit register model.skops bike.yaml`

    Args:
        model: A scikit-learn pipeline that takes the spec's feature columns, saved with skops.
        spec: The YAML file that describes the model.
    """
    from tasks.core.spec_file import load_spec

    loaded = load_spec(spec, work.set)
    with watched(work.json, work.verbose, work.cluster) as servers:
        from flows.lifecycle import register_model

        trained = register_model(str(model.absolute()), loaded)
    return answer.trained(trained, servers, work.json)


@app.command
def promote(model: str, version: int, *, force: bool = False, talk: Talk = TALK) -> int:
    """Make a version the champion.

    Example: `afterfit promote bike-demand 3`

    Args:
        model: The registered name.
        version: The version's number.
        force: Promote it even if its gates refused it.
    """
    with watched(talk.json, talk.verbose):
        from flows.release import promote_version

        replaced = promote_version(model, version, force)
    said = f"{model}: the champion is version {version}" + (f", before it was {replaced}." if replaced else ".")
    return answer.plain({"model": model, "version": version, "replaced": replaced}, said, talk.json)


@app.command
def rollback(model: str, *, talk: Talk = TALK) -> int:
    """Make the version before the champion again; done twice, it undoes itself.

    Example: `afterfit rollback bike-demand`

    Args:
        model: The registered name.
    """
    with watched(talk.json, talk.verbose):
        from flows.release import rollback_version

        restored, replaced = rollback_version(model)
    said = f"{model}: the champion is version {restored} again, instead of {replaced}."
    return answer.plain({"model": model, "version": restored, "replaced": replaced}, said, talk.json)


@app.command
def models(*, talk: Talk = TALK) -> int:
    """List the registered models with their aliases."""
    with watched(talk.json, talk.verbose):
        from tasks.store import list_models

        listed = list_models()
    return answer.listed(listed, talk.json)


@app.command
def backfill(
    spec: Path,
    *,
    from_: Annotated[str, Parameter(name="--from")],
    to: str,
    only: Literal["missing", "failed", "stale", "all"] | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    at_once: int = 2,
    work: SpecWork = SPEC_WORK,
) -> int:
    """Score the windows of a stretch of time with today's champion, those that are not scored by it already.

    Example: `afterfit backfill bike.yaml --from 2026-01-01 --to 2026-02-01 --dry-run`

    Args:
        spec: The YAML file that describes the model; its scoring has a window.
        from_: Where the first window starts: 2026-01-31 or 2026-01-31T06:00; UTC unless a zone is named.
        to: Where the last window ends.
        only: Score just the windows that are missing, failed (begun and not finished, or damaged) or stale (scored by
            another version than the champion), or all of them; by default whatever is not current.
        dry_run: Tell which windows would be scored and why; score nothing.
        at_once: How many windows are scored side by side; with --workers, they are scored one after another.
    """
    from tasks.core.results import BackfillError
    from tasks.core.spec_file import load_spec

    loaded = load_spec(spec, work.set)
    try:
        with watched(work.json, work.verbose, work.cluster) as servers:
            from flows.scoring import backfill_scores

            done = backfill_scores(loaded, from_, to, only, dry_run, at_once, work.workers, work.cluster)
    except BackfillError as error:
        return answer.backfilled(error.done, None, work.json)
    return answer.backfilled(done, servers, work.json)


@app.command
def up(*, talk: Talk = TALK) -> int:
    """Start the embedded Prefect and MLflow servers, those that are not running."""
    from deployments import local

    with waiting("starting the servers"):
        local.up()
    return answer.status(local.status(), talk.json)


@app.command
def down(*, talk: Talk = TALK) -> int:
    """Stop the embedded servers; what they hold stays in AFTERFIT_HOME."""
    from deployments import local

    stopped = local.down()
    return answer.plain({"stopped": stopped}, f"Stopped: {', '.join(stopped) or 'nothing was running'}.", talk.json)


@app.command
def status(*, talk: Talk = TALK) -> int:
    """Tell where the servers are and whether they answer; starts nothing."""
    from deployments import local

    return answer.status(local.status(), talk.json)


@app.command
def env(*, talk: Talk = TALK) -> int:
    r"""Print the exports that plain `prefect` and `mlflow` commands need.

    Example: `eval "$(afterfit env)"; prefect flow-run ls`
    """
    from deployments import local

    servers = local.up()
    return answer.plain({"environment": local.environment(servers)}, local.exports(servers), talk.json)


def main(tokens: list[str] | None = None) -> None:
    """Run the command line; the exit status is 0 done, 1 failed, 2 the request is wrong, 3 the gates refused."""
    # Imports alone make objects by the hundred thousand that live as long as the process does: looking through
    # them again and again, and freeing them one by one at the end, took two seconds of a short command's six.
    gc.set_threshold(50_000, 20, 100)
    refuse_strangers()
    signal.signal(signal.SIGTERM, _terminated)
    leave(_status(tokens))


def _terminated(*_: object) -> None:
    raise KeyboardInterrupt("Terminated")


def _status(tokens: list[str] | None) -> int:
    from tasks.core.errors import AfterfitError

    try:
        done: Any = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return say(f"{error} See `{' '.join(['afterfit', *(error.command_chain or ())])} --help`.", 2)
    except AfterfitError as error:
        return say(str(error), error.exit_status)
    except PrefectGoneError as error:
        leave(say(str(error), 1), at_once=True)
    except (UnexpectedError, OSError) as error:
        return say(str(error), 1)
    except Exception as error:  # the libraries of object stores raise what they like
        if "--verbose" in (tokens or sys.argv):
            raise
        return say(f"{type(error).__name__}: {str(error).strip().rstrip('.')}. Use --verbose to see where.", 1)
    except KeyboardInterrupt as stopped:
        return say(
            f"{str(stopped) or 'Interrupted'}: run the same command again.",
            INTERRUPTED,
        )
    return int(done or 0)
