"""The main job: everything that comes after `.fit()`."""

import shutil
from pathlib import Path

from prefect import flow
from prefect.runtime import flow_run

from flows.scoring import score_source
from flows.training import fit_candidates, judge_best, release, reuse_version
from tasks.core.scoring.checks import check_scoring
from tasks.core.spec.spec import Spec
from tasks.core.storage.digests import file_digest
from tasks.core.storage.files import check_exists
from tasks.core.storage.home import scratch_folder
from tasks.core.training.candidates import check_candidates
from tasks.core.training.key import identify_training
from tasks.core.training.results import Fitted, Lifecycle, Trained
from tasks.measure import measure_candidate
from tasks.read import read_identity, read_table
from tasks.resolve import resolve_champion
from tasks.runner.make import make_runner
from tasks.split import split_table


@flow(flow_run_name="run {spec.name}", persist_result=False)
def run_lifecycle(
    spec: Spec, retrain: bool = False, workers: int | None = None, cluster: str | None = None
) -> Lifecycle:
    """Train candidates, judge the best, register it, promote it, and score with the champion.

    1. `check_scoring`: refuse what could not be scored, before anything is trained for it;
    2. `train_challenger`, below: check, read, split, fit, measure, judge, register, promote;
    3. `score_source`: score with the champion, which after a refusal is the old one, and commit.

    Args:
        spec: the model under management.
        retrain: train even if a version is registered under the same training key.
        workers: worker processes to start; by default tasks run on threads of this process.
        cluster: the address of an existing Dask scheduler.
    """
    check_scoring(spec)
    trained = train_challenger(spec, retrain, workers, cluster)
    scores = trained.champion and score_source(
        f"{spec.name}/{trained.champion}",
        spec.scoring.source,
        spec.scoring.output,
        replace=spec.scoring.on_existing == "replace",
        workers=workers,
        cluster=cluster,
        options=spec.scoring,
    )
    return Lifecycle(trained, scores or None, str(flow_run.ui_url or ""))


@flow(flow_run_name="train {spec.name}", persist_result=False)
def train_model(
    spec: Spec, retrain: bool = False, workers: int | None = None, cluster: str | None = None
) -> Trained:
    """Do what `run_lifecycle` does, without the scoring."""
    return train_challenger(spec, retrain, workers, cluster)


def train_challenger(
    spec: Spec, retrain: bool, workers: int | None, cluster: str | None
) -> Trained:
    """Train a challenger, and make it the champion if the evidence allows.

    1. refuse candidates that cannot be made;
    2. resolve the champion in use;
    3. identify the training: a version registered under the same key is reused;
    4. read the source once, and split it into rows that train and rows that judge;
    5. fit the candidates side by side on Dask, and measure each on the rows that judge;
    6. judge the best of them against the champion, on the same rows;
    7. register it with its evidence, and promote it if the verdict allows.
    """
    check_candidates(spec)
    champion = resolve_champion(spec.name)
    source = read_identity(spec.data.source)
    key = identify_training(spec, source.identity)
    if not retrain and (reused := reuse_version(spec.name, key, champion)):
        return reused
    with scratch_folder() as folder:
        table = read_table(source, spec.data, str(folder))
        parts = split_table(table, spec, str(folder))
        measured = fit_candidates(spec, parts, make_runner(workers, cluster, writes=str(folder)))
        best, verdict = judge_best(measured, champion, spec, parts)
        return release(
            best,
            verdict,
            champion,
            spec,
            parts,
            {"training_key": key, "dataset_digest": table.digest},
        )


@flow(flow_run_name="register a model as {spec.name}", persist_result=False)
def register_model(model: str, spec: Spec) -> Trained:
    """Bring a model fitted elsewhere, a skops file, through the same gates.

    The source is split as for training; rows the model was fitted on elsewhere cannot be told
    apart.
    """
    check_candidates(spec)
    check_exists(model)
    champion = resolve_champion(spec.name)
    source = read_identity(spec.data.source)
    key = identify_training(spec, source.identity, file_digest(Path(model)))
    if reused := reuse_version(spec.name, key, champion):
        return reused
    with scratch_folder() as folder:
        table = read_table(source, spec.data, str(folder))
        parts = split_table(table, spec, str(folder))
        copied = shutil.copy(model, folder / "given.skops")
        measured = measure_candidate(Fitted(Path(model).name, str(copied), 0.0), spec, parts)
        best, verdict = judge_best([measured], champion, spec, parts)
        return release(
            best,
            verdict,
            champion,
            spec,
            parts,
            {"training_key": key, "dataset_digest": table.digest},
        )
