"""The main job: everything that comes after `.fit()`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from prefect import flow
from prefect.runtime import flow_run

from flows.scoring import score_source
from flows.training import fit_candidates, judge_best, release, reuse_version
from tasks.admit import admit_model
from tasks.core.evaluation.evidence import Measured
from tasks.core.foreign.archive import copy_model
from tasks.core.foreign.sandbox import MODEL
from tasks.core.score_columns import ScoreColumns
from tasks.core.scoring.checks import check_columns, check_scoring
from tasks.core.spec.spec import Spec
from tasks.core.storage.digests import file_digest
from tasks.core.storage.home import scratch_folder
from tasks.core.tables.listing import SourceListing
from tasks.core.training.candidates import check_candidates
from tasks.core.training.column_params import check_columns_named
from tasks.core.training.key import identify_training
from tasks.core.training.results import FailedCandidate, Fitted, Lifecycle, Trained
from tasks.core.training.table import SplitTable, TableFile
from tasks.measure import measure_candidate
from tasks.read import look_at_source, read_table
from tasks.resolve import resolve_champion
from tasks.runner.compute import Compute
from tasks.split import split_table


@flow(flow_run_name="run {spec.name}", persist_result=False)
def run_lifecycle(
    spec: Spec, retrain: bool = False, workers: int | None = None, cluster: str | None = None
) -> Lifecycle:
    """Train candidates, judge the best, register it, promote it, and score with the champion.

    1. `check_scoring`: refuse what could not be scored, before anything is trained for it;
    2. `train_challenger`, below: read, split, fit, measure, judge, register, promote;
    3. `score_source`: score with the champion, which after a refusal is the old one, and commit.

    Args:
        spec: the model under management.
        retrain: train even if a version is registered under the same training key.
        workers: worker processes to start; by default tasks run on threads of this process.
        cluster: the address of an existing Dask scheduler.
    """
    compute = Compute(workers, cluster)
    source = check_scoring(spec, cluster)

    trained = train_challenger(spec, compute, retrain=retrain, scored=source)

    scores = None
    if trained.champion is not None:
        scores = score_source(
            f"{spec.name}/{trained.champion}",
            spec.scoring.source,
            spec.scoring.output,
            replace=spec.scoring.on_existing == "replace",
            compute=compute,
            scoring=spec.scoring,
        )
    return Lifecycle(trained, scores, str(flow_run.ui_url or ""))


@flow(flow_run_name="train {spec.name}", persist_result=False)
def train_model(
    spec: Spec, retrain: bool = False, workers: int | None = None, cluster: str | None = None
) -> Trained:
    """Do what `run_lifecycle` does, without the scoring."""
    return train_challenger(spec, Compute(workers, cluster), retrain=retrain)


@flow(flow_run_name="register a model as {spec.name}", persist_result=False)
def register_model(model: str, spec: Spec) -> Trained:
    """Bring a model fitted elsewhere, a skops file, through the same gates.

    It is opened in a process of its own first, and asked for its own predictions on real rows: ours
    must equal them. The source is split as for training. Which rows the model was fitted on
    elsewhere is not known, so its evidence may include some of these.
    """
    with scratch_folder() as folder:
        path = copy_model(model, folder / MODEL)
        given = Fitted(Path(model).name, str(path), seconds=0.0)

        def admit(source: SourceListing, table: TableFile, split: SplitTable) -> SplitTable:
            return admit_model(given, spec, source, table, split)

        def measure_given(split: SplitTable) -> list[Measured]:
            return [measure_candidate(given, spec, split)]

        return challenge(spec, measure_given, admit=admit, model_digest=file_digest(path))


def train_challenger(
    spec: Spec, compute: Compute, *, retrain: bool, scored: SourceListing | None = None
) -> Trained:
    """Fit the candidates of a spec side by side on Dask, and challenge the champion.

    `scored` is what will be scored then: it must have the features, before anything is fitted.
    """

    def fit_and_measure(table: SplitTable) -> Sequence[Measured | FailedCandidate]:
        if scored is not None:
            check_columns(scored, table.features, ScoreColumns(spec.data.id, spec.scoring.keep))
        return fit_candidates(spec, table, compute)

    return challenge(spec, fit_and_measure, retrain=retrain)


def challenge(
    spec: Spec,
    measure: Callable[[SplitTable], Sequence[Measured | FailedCandidate]],
    *,
    admit: Callable[[SourceListing, TableFile, SplitTable], SplitTable] | None = None,
    model_digest: str = "",
    retrain: bool = False,
) -> Trained:
    """Challenge the champion; the best challenger takes its place if the evidence allows.

    1. refuse candidates that cannot be made;
    2. resolve the champion in use;
    3. identify the training: a version registered under the same key is reused;
    4. read the source once, and split it into rows that train and rows that judge;
    5. get the challengers, fitted here or admitted from elsewhere, measured on the rows that judge;
    6. judge the best of them against the champion, on the same rows;
    7. register it with its evidence, and promote it if the verdict allows.

    Args:
        spec: the model under management.
        measure: returns what became of each challenger, given the split table.
        admit: refuses a model that was fitted elsewhere, or returns the split table that suits it.
        model_digest: the digest of a model that was fitted elsewhere.
        retrain: train even if a version is registered under the same training key.
    """
    check_candidates(spec)
    champion = resolve_champion(spec.name)

    source = look_at_source(spec.data.source)
    key = identify_training(spec, source.identity, model_digest)
    if not retrain and (reused := reuse_version(spec.name, key, champion)):
        return reused

    with scratch_folder() as folder:
        table = read_table(source, spec.data, str(folder))
        split = split_table(table, spec, str(folder))
        if admit is not None:
            split = admit(source, table, split)
        check_columns_named(spec, split.features)

        tried = measure(split)
        best, verdict, failed = judge_best(tried, champion, spec, split)

        tags = {"training_key": key, "dataset_digest": table.digest}
        trained = release(best, verdict, champion, spec, split, tags)
        return replace(trained, failed=tuple(failed))
