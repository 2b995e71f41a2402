"""Commands that train: demo, run, train, init, register."""

from pathlib import Path

from deployments.cli import answers
from deployments.cli.app import (
    COMPUTE_OPTIONS,
    OUTPUT_OPTIONS,
    SPEC_OPTIONS,
    ComputeOptions,
    OutputOptions,
    SpecOptions,
    app,
)
from deployments.cli.console import session


@app.command
def demo(*, work: ComputeOptions = COMPUTE_OPTIONS) -> int:
    """Run the main job on real data that ships with scikit-learn.

    Trains, judges, registers and promotes a model, then scores a million rows with it.
    """
    from deployments.cli.demo import next_steps
    from deployments.servers.home import home

    with session(work.json, work.verbose, work.cluster) as servers:
        from deployments.cli.demo import write_demo
        from deployments.cli.request import load_request
        from flows.lifecycle import run_lifecycle

        path = write_demo(home() / "demo")
        done = run_lifecycle(load_request(path, []), workers=work.workers, cluster=work.cluster)
    return answers.lifecycle(done, servers, work.json, more=next_steps(path))


@app.command
def run(spec: Path, *, retrain: bool = False, work: SpecOptions = SPEC_OPTIONS) -> int:
    """Run the whole lifecycle for a spec: train, judge, register, promote, score.

    Example: `afterfit run bike.yaml --set data.target=cnt`

    Args:
        spec: The YAML file that describes the model.
        retrain: Train even if nothing has changed since the last time.
    """
    from deployments.cli.request import load_request

    loaded = load_request(spec, work.set)
    with session(work.json, work.verbose, work.cluster) as servers:
        from flows.lifecycle import run_lifecycle

        done = run_lifecycle(loaded, retrain=retrain, workers=work.workers, cluster=work.cluster)
    return answers.lifecycle(done, servers, work.json)


@app.command
def train(spec: Path, *, retrain: bool = False, work: SpecOptions = SPEC_OPTIONS) -> int:
    """Fit the candidates, judge the best, register it; promote it if the verdict allows.

    Example: `afterfit train bike.yaml --retrain`

    Args:
        spec: The YAML file that describes the model.
        retrain: Train even if nothing has changed since the last time.
    """
    from deployments.cli.request import load_request

    loaded = load_request(spec, work.set)
    with session(work.json, work.verbose, work.cluster) as servers:
        from flows.lifecycle import train_model

        trained = train_model(loaded, retrain=retrain, workers=work.workers, cluster=work.cluster)
    return answers.trained(trained, servers, work.json)


@app.command
def init(
    table: str, *, target: str, output: Path | None = None, talk: OutputOptions = OUTPUT_OPTIONS
) -> int:
    """Write a first spec for a CSV or Parquet file, with comments.

    Example: `afterfit init sales.csv --target amount`

    Args:
        table: A file, a folder or a glob.
        target: The column to predict.
        output: Where to write the spec; by default beside the table, ending in .yaml.
    """
    from tasks.core.storage.location import absolute
    from tasks.core.training.first_spec import write_first_spec

    source = absolute(table, Path.cwd())
    path = (output or Path(source.split("*")[0].rstrip("/")).with_suffix(".yaml")).absolute()
    write_first_spec(source, target, path)
    return answers.plain(
        {"spec": str(path)},
        f"Wrote {path}. Look it over, then: afterfit run {path.name}",
        talk.json,
    )


@app.command
def register(model: Path, spec: Path, *, work: SpecOptions = SPEC_OPTIONS) -> int:
    """Bring a model fitted elsewhere (a skops file) through the gates of a spec.

    Example: `afterfit register model.skops bike.yaml`

    Args:
        model: A scikit-learn pipeline that takes the spec's feature columns, saved with skops.
        spec: The YAML file that describes the model.
    """
    from deployments.cli.request import load_request

    loaded = load_request(spec, work.set)
    with session(work.json, work.verbose, work.cluster) as servers:
        from flows.lifecycle import register_model

        trained = register_model(str(model.absolute()), loaded)
    return answers.trained(trained, servers, work.json)
