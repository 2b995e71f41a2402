"""Commands that train: demo, run, train, init, register."""

from pathlib import Path

from deployments.cli import answers, lazy
from deployments.cli.options import (
    COMPUTE_OPTIONS,
    OUTPUT_OPTIONS,
    SPEC_OPTIONS,
    ComputeOptions,
    OutputOptions,
    SpecOptions,
)
from deployments.cli.session import session


def demo(*, options: ComputeOptions = COMPUTE_OPTIONS) -> int:
    """Run the main job on real data that ships with scikit-learn.

    Trains, judges, registers and promotes a model, then scores a million rows with it.
    """
    with session(options, options.cluster) as servers:
        path = lazy.demo.write_demo(lazy.local.home() / "demo")
        spec = lazy.request.load_request(path)
        done = lazy.lifecycle.run_lifecycle(spec, workers=options.workers, cluster=options.cluster)

    return answers.lifecycle(done, servers, options.json, more=lazy.demo.next_steps(path))


def run(spec: Path, *, retrain: bool = False, options: SpecOptions = SPEC_OPTIONS) -> int:
    """Run the whole lifecycle for a spec: train, judge, register, promote, score.

    Example: `afterfit run bike.yaml --set data.target=cnt`

    Args:
        spec: The YAML file that describes the model.
        retrain: Train even if nothing has changed since the last time.
    """
    loaded = lazy.request.load_request(spec, options.set)

    with session(options, options.cluster) as servers:
        done = lazy.lifecycle.run_lifecycle(
            loaded, retrain=retrain, workers=options.workers, cluster=options.cluster
        )

    return answers.lifecycle(done, servers, options.json)


def train(spec: Path, *, retrain: bool = False, options: SpecOptions = SPEC_OPTIONS) -> int:
    """Fit the candidates, judge the best, register it; promote it if the verdict allows.

    Example: `afterfit train bike.yaml --retrain`

    Args:
        spec: The YAML file that describes the model.
        retrain: Train even if nothing has changed since the last time.
    """
    loaded = lazy.request.load_request(spec, options.set)

    with session(options, options.cluster) as servers:
        trained = lazy.lifecycle.train_model(
            loaded, retrain=retrain, workers=options.workers, cluster=options.cluster
        )

    return answers.trained(trained, servers, options.json)


def init(
    table: str, *, target: str, output: Path | None = None, options: OutputOptions = OUTPUT_OPTIONS
) -> int:
    """Write a first spec for a CSV or Parquet file, with comments.

    Example: `afterfit init sales.csv --target amount`

    Args:
        table: A file, a folder or a glob.
        target: The column to predict.
        output: Where to write the spec; by default beside the table, ending in .yaml.
    """
    source = lazy.location.absolute(table, Path.cwd())
    before_glob = source.split("*")[0].rstrip("/")
    beside = Path(before_glob).with_suffix(".yaml")
    path = (output or beside).absolute()

    notes = lazy.first_spec.write_first_spec(source, target, path)
    return answers.written(path, notes, options.json)


def register(model: Path, spec: Path, *, options: SpecOptions = SPEC_OPTIONS) -> int:
    """Bring a model fitted elsewhere (a skops file) through the gates of a spec.

    Example: `afterfit register model.skops bike.yaml`

    Args:
        model: A scikit-learn pipeline that takes the spec's feature columns, saved with skops.
        spec: The YAML file that describes the model.
    """
    loaded = lazy.request.load_request(spec, options.set)

    with session(options, options.cluster) as servers:
        trained = lazy.lifecycle.register_model(str(model.absolute()), loaded)

    return answers.trained(trained, servers, options.json)
