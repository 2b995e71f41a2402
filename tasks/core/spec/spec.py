"""The spec: one YAML file that describes one model under management."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from tasks.core.errors import RequestError
from tasks.core.metrics import METRICS, Problem, metric_names
from tasks.core.spec.scoring import Scoring
from tasks.core.spec.sections import Candidate, Data, Gates, Section

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
    def _fill_defaults(cls, values: Any) -> Any:
        """Take the champion's metric from the problem and the scoring source from the data."""
        if not isinstance(values, Mapping):
            return values
        filled = {**values}
        problem, data = values.get("problem"), values.get("data")
        if isinstance(problem, str) and problem in DEFAULT_METRIC:
            filled["gates"] = _with_default(
                values.get("gates", {}), "champion", "metric", DEFAULT_METRIC[problem]
            )
        if isinstance(data, Mapping) and isinstance(values.get("scoring", {}), Mapping):
            filled["scoring"] = {"source": data.get("source", ""), **values.get("scoring", {})}
        return filled

    @model_validator(mode="after")
    def _check_metrics(self) -> Self:
        for name in self.gates.limits:
            if name not in metric_names(self.problem):
                raise ValueError(
                    f"gates.limits: {name!r} is not a metric of {self.problem}: use one of "
                    f"{', '.join(metric_names(self.problem))}"
                )
        losses = [name for name in metric_names(self.problem) if METRICS[name].row_loss]
        if self.gates.champion.metric not in losses:
            raise ValueError(
                f"gates.champion.metric: {self.gates.champion.metric!r} has no loss for each row of a "
                f"{self.problem}: use one of {', '.join(losses)}"
            )
        return self

    @model_validator(mode="after")
    def _check_kept(self) -> Self:
        if self.scoring.keep:
            from tasks.core.score_columns import check_carried  # noqa: PLC0415 - most specs keep nothing, and are read sooner

            try:
                check_carried(self.data.id, self.scoring.keep)
            except RequestError as error:
                raise ValueError(str(error)) from error
        return self


def _with_default(section: Any, part: str, key: str, value: str) -> Any:
    """Give `section[part][key]` a default, without writing into what was given."""
    if not isinstance(section, Mapping) or not isinstance(section.get(part, {}), Mapping):
        return section
    return {**section, part: {key: value, **section.get(part, {})}}
