"""Training: the steps of a lifecycle up to the promotion."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from prefect import unmapped
from prefect.futures import PrefectFuture

from tasks.core.evaluation.evidence import Measured
from tasks.core.evaluation.gates import pick_best
from tasks.core.evaluation.verdict import Verdict, read_verdict
from tasks.core.model.version import ModelVersion
from tasks.core.spec.spec import Spec
from tasks.core.training.results import (
    FailedCandidate,
    Fitted,
    Trained,
    describe_failure,
    no_candidate,
)
from tasks.core.training.table import SplitTable
from tasks.fit import fit_candidate
from tasks.judge import judge_challenger
from tasks.measure import measure_candidate, measure_champion
from tasks.promote import promote_model
from tasks.publish import publish_candidates, publish_segments, publish_verdict, publish_version
from tasks.register import register_version
from tasks.resolve import resolve_trained
from tasks.runner.compute import Compute
from tasks.runner.make import map_task


def reuse_version(name: str, training_key: str, champion: ModelVersion | None) -> Trained | None:
    """Find a version that was trained the same way.

    One whose run died just before its promotion is promoted now.
    """
    version = resolve_trained(name, training_key)
    if version is None:
        return None

    used = champion.version if champion else None
    if not version.promoted and used not in {version.version, version.judged_against}:
        return None  # it was judged against another champion: that verdict says nothing today

    is_unfinished = version.passed and not version.promoted
    if is_unfinished:
        promote_model(version, used)
        used = version.version

    verdict = read_verdict(version)
    publish_verdict(verdict, f"version {version.version}, registered before,", name)
    publish_version(version)

    alias = _alias_of(version, used)
    return Trained(
        name,
        version.version,
        alias,
        promoted=is_unfinished,
        model_reused=True,
        verdict=verdict,
        champion=used,
    )


def _alias_of(version: ModelVersion, used: int | None) -> str | None:
    if used == version.version:
        return "champion"
    return "challenger" if "challenger" in version.aliases else None


def fit_candidates(
    spec: Spec, table: SplitTable, compute: Compute
) -> list[Measured | FailedCandidate]:
    """Fit the candidates side by side on Dask, and measure each as soon as it is fitted.

    One that fails, whatever its error, does not keep the others from being judged.
    """
    same = {"spec": unmapped(spec), "table": unmapped(table)}
    numbers = range(len(spec.candidates))

    with compute.runner(writes=str(Path(table.train).parent)) as runner:
        fitted = map_task(runner, fit_candidate, candidate=spec.candidates, number=numbers, **same)
        measured = map_task(runner, measure_candidate, fitted=fitted, **same)
        tasks = zip(spec.candidates, fitted, measured, strict=True)
        return [_outcome_of(candidate.name, fit, measure) for candidate, fit, measure in tasks]


def _outcome_of(
    candidate: str, fitted: PrefectFuture[Fitted], measured: PrefectFuture[Measured]
) -> Measured | FailedCandidate:
    """Wait for a candidate; return what it showed, or why it failed."""
    try:
        fitted.result()  # of a candidate that could not be fitted, this raises why
        return measured.result()
    except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
        return describe_failure(candidate, error)


def judge_best(
    tried: Sequence[Measured | FailedCandidate],
    champion: ModelVersion | None,
    spec: Spec,
    table: SplitTable,
) -> tuple[Measured, Verdict, list[FailedCandidate]]:
    """Pick the candidate with the smallest loss, and judge it against the champion.

    Raises:
        AfterfitError: every candidate failed; with the reason of each.
    """
    measured = [item for item in tried if isinstance(item, Measured)]
    failed = [item for item in tried if isinstance(item, FailedCandidate)]
    if not measured:
        raise no_candidate(failed)

    metric = spec.gates.champion.metric
    best = measured[pick_best([item.metrics[metric] for item in measured])]
    publish_candidates(measured, best, failed, spec.name)
    publish_segments(best, spec.name)

    against = measure_champion(champion, spec, table) if champion else None
    verdict = judge_challenger(best, against, spec, table)
    publish_verdict(verdict, best.candidate, spec.name)
    return best, verdict, failed


def release(
    best: Measured,
    verdict: Verdict,
    champion: ModelVersion | None,
    spec: Spec,
    table: SplitTable,
    tags: Mapping[str, str],
) -> Trained:
    """Register the judged model, and promote it if the verdict allows.

    Else it stays the challenger.
    """
    used = champion.version if champion else None
    all_tags = {**tags, "judged_against": "" if used is None else str(used)}
    version = register_version(best, verdict, spec, table, all_tags)
    publish_version(version)

    if verdict.passed:
        promote_model(version, used)
    return Trained(
        spec.name,
        version.version,
        "champion" if verdict.passed else "challenger",
        promoted=verdict.passed,
        model_reused=False,
        verdict=verdict,
        champion=version.version if verdict.passed else used,
        notes=table.notes,
    )
