"""The spec: one YAML file that describes one model under management."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from tasks.core.errors import RequestError
from tasks.core.metrics import METRICS, Problem, metric_names
from tasks.core.score_columns import check_carried
from tasks.core.spec.scoring import Scoring
from tasks.core.spec.sections import Candidate, Data, Gates, Section

# What a challenger is compared with the champion by, where the spec names no metric.
DEFAULT_METRIC: dict[Problem, str] = {"regression": "mae", "classification": "log_loss"}


class Spec(Section):
    """One model under management."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    problem: Problem
    data: Data
    candidates: tuple[Candidate, ...] = Field(min_length=1)
    gates: Gates = Gates()
    scoring: Scoring = Scoring()

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, values: object) -> object:
        """Take the champion's metric from the problem and the scoring source from the data.

        What is of a wrong type stays as it is: the fields themselves refuse it.
        """
        if not isinstance(values, Mapping):
            return values

        filled = dict(values)
        problem = values.get("problem")
        if isinstance(problem, str) and problem in DEFAULT_METRIC:
            filled["gates"] = _with_metric(values.get("gates", {}), DEFAULT_METRIC[problem])

        data, scoring = values.get("data"), values.get("scoring", {})
        if isinstance(data, Mapping) and isinstance(scoring, Mapping) and "source" in data:
            filled["scoring"] = {"source": data["source"], **scoring}
        return filled

    @model_validator(mode="after")
    def _check_metrics(self) -> Self:
        names = metric_names(self.problem)
        for name in self.gates.limits:
            if name not in names:
                raise ValueError(
                    f"gates.limits: {name!r} is not a metric of {self.problem}: use one of "
                    f"{', '.join(names)}"
                )

        metric = self.gates.champion.metric
        losses = [name for name in names if METRICS[name].row_loss]
        if metric not in losses:
            raise ValueError(
                f"gates.champion.metric: {metric!r} has no loss for each row of a {self.problem}: "
                f"use one of {', '.join(losses)}"
            )
        return self

    @model_validator(mode="after")
    def _check_kept(self) -> Self:
        if not self.scoring.keep:
            return self

        try:
            check_carried(self.data.id, self.scoring.keep)
        except RequestError as error:
            raise ValueError(str(error)) from error
        return self


def _with_metric(gates: object, metric: str) -> object:
    """Return the section of gates with a metric for the champion's gate, if it names none."""
    if not isinstance(gates, Mapping):
        return gates

    champion = gates.get("champion", {})
    if not isinstance(champion, Mapping):
        return gates
    return {**gates, "champion": {"metric": metric, **champion}}
