"""Non-inferiority: the challenger is not worse than the champion beyond a margin."""

from tasks.core.evaluation.bootstrap import relative_increase, upper_bound
from tasks.core.evaluation.comparison import Comparison
from tasks.core.evaluation.verdict import Gate
from tasks.core.metrics import loss
from tasks.core.predictions import Floats
from tasks.core.spec.sections import ChampionGate

NOT_WORSE = "not worse than the champion"
NOT_COMPARED = "champion not compared"


def champion_gates(comparison: Comparison) -> list[Gate]:
    """Return the gate about the champion.

    It is passed where there is no champion yet. A champion that cannot be measured is a verdict of
    its own: it must not keep out its successors for ever, so that the limits alone judge.
    """
    champion = comparison.champion
    gate = comparison.spec.gates.champion
    if champion is None:
        found = comparison.metrics[gate.metric]
        reason = f"there is no champion yet; {gate.metric} is {found:.4g}"
        return [Gate(NOT_WORSE, passed=True, found=None, allowed="", reason=reason)]
    if champion.problem:
        reason = f"{champion.problem}; the limits alone judge"
        return [Gate(NOT_COMPARED, passed=True, found=None, allowed="", reason=reason)]

    judging = comparison.judging
    losses = comparison.losses[judging]
    return [judge_champion(losses, champion.losses[judging], gate)]


def judge_champion(challenger: Floats, champion: Floats, gate: ChampionGate, seed: int = 0) -> Gate:
    """Check that the challenger is not worse than the champion beyond the margin.

    Args:
        challenger: losses of the challenger, shape (n,).
        champion: losses of the champion on the same rows, shape (n,).
        gate: the metric, the one-sided confidence and the margin of the relative rise in loss.
        seed: of the paired bootstrap (Efron and Tibshirani, 1993, chapter 8).
    """
    allowed = f"at most {gate.margin:+.1%}"
    if not len(champion):
        reason = "the champion was trained on every held-out row, so none can judge it"
        return Gate(NOT_WORSE, passed=False, found=None, allowed=allowed, reason=reason)

    rise = relative_increase(loss(gate.metric, challenger), loss(gate.metric, champion))
    bound = upper_bound(challenger, champion, gate, seed)
    reason = (
        f"{gate.metric} is {rise:+.1%} against the champion's on {len(champion):,} rows, "
        f"and up to {bound:+.1%} with {gate.confidence:.0%} confidence; allowed is {allowed}"
    )
    return Gate(
        name=NOT_WORSE,
        passed=bool(bound <= gate.margin),
        found=bound,
        allowed=allowed,
        reason=reason,
    )
