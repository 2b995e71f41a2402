"""Judge a challenger by the gates of the spec."""

import numpy as np
from prefect.logging import get_run_logger

from tasks.core.evaluation.evidence import ChampionLosses, Measured, MeasuredChampion
from tasks.core.evaluation.gates import judge
from tasks.core.evaluation.verdict import Verdict
from tasks.core.spec.spec import Spec
from tasks.core.tables.arrow_files import open_table
from tasks.core.training.table import SplitTable
from tasks.idempotent import idempotent_task


@idempotent_task(task_run_name="judge {challenger.candidate}")
def judge_challenger(
    challenger: Measured, champion: MeasuredChampion | None, spec: Spec, table: SplitTable
) -> Verdict:
    """Judge the best candidate: limits, champion, segments, and no leak in a single feature."""
    against = None
    if champion:
        of_champion = np.load(champion.losses)
        against = ChampionLosses(of_champion, champion.rows_seen, champion.problem)

    rows = open_table(table.held_out)
    train = open_table(table.train)
    losses = np.load(challenger.losses)
    verdict = judge(challenger.metrics, losses, against, rows, spec, train, table.features)

    for gate in verdict.gates:
        outcome = "passed" if gate.passed else "REFUSED"
        get_run_logger().info("%s %s: %s", outcome, gate.name, gate.reason)
    return verdict
