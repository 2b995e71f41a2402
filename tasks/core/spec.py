"""The spec: one YAML file that describes one model under management."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tasks.core.candidates import check_candidate
from tasks.core.errors import RequestError
from tasks.core.metrics import METRICS, Problem, metric_names

LATER = {
    "search": "a search over parameters is not part of this version: give each candidate fixed `params`",
    "schedules": "schedules in a spec are not part of this version: put them in deployments/prefect.yaml",
    "window": "windows are not part of this version: name the source and the output without one",
}
DEFAULT_METRIC: dict[Problem, str] = {"regression": "mae", "classification": "log_loss"}


class Section(BaseModel):
    """A part of the spec: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_later(cls, values: Any) -> Any:
        for name in LATER.keys() & set(values if isinstance(values, Mapping) else ()):
            raise ValueError(LATER[name])
        return values


class Data(Section):
    """The table a model learns from."""

    source: str = Field(description="a file, a folder, a glob or an fsspec URL; Parquet or CSV")
    target: str = Field(description="the column to predict")
    id: str | None = Field(None, description="carried through to the scores, never a feature")
    time: str | None = Field(None, description="split by this column: the newest rows judge")
    segment: str | None = Field(None, description="measured value by value")
    drop: tuple[str, ...] = Field((), description="columns that are not features")

    @model_validator(mode="after")
    def _check_roles(self) -> Self:
        taken = {"id": self.id, "time": self.time, "segment": self.segment}
        for role, column in taken.items():
            if column == self.target:
                raise ValueError(f"`{role}` and `target` are both {column!r}: name two different columns")
        if self.target in self.drop:
            raise ValueError(f"`drop` holds the target {self.target!r}: take it out")
        return self


class Candidate(Section):
    """An estimator with its parameters."""

    estimator: str = Field(description="the full name of a scikit-learn estimator")
    params: dict[str, Any] = Field(default_factory=dict, description="what its constructor is given")

    @property
    def name(self) -> str:
        """The last part of the estimator's name."""
        return self.estimator.rsplit(".", 1)[-1]


class Limit(Section):
    """What a metric must stay within."""

    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("a limit needs `min`, `max` or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"no figure is both at least {self.min:g} and at most {self.max:g}")
        return self


class ChampionGate(Section):
    """How much worse than the champion a challenger may be."""

    metric: str = ""
    confidence: float = Field(0.95, gt=0.5, lt=1)
    margin: float = Field(0.01, ge=0)


class SegmentGate(Section):
    """How much worse than the champion a challenger may be in any one segment."""

    max_relative_loss: float = Field(0.10, ge=0)


class Gates(Section):
    """What a challenger has to show before it goes live."""

    limits: dict[str, Limit] = Field(default_factory=dict)
    champion: ChampionGate = ChampionGate()
    segments: SegmentGate = SegmentGate()


class Scoring(Section):
    """What is scored, and where the scores go."""

    source: str = ""
    output: str = "scores"
    on_existing: Literal["replace", "refuse"] = "replace"
    proba: bool = False
    keep: tuple[str, ...] = ()

    @field_validator("source", "output")
    @classmethod
    def _refuse_window(cls, value: str) -> str:
        if "{window" in value:
            raise ValueError(LATER["window"])
        return value


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
            filled["gates"] = _with_default(values.get("gates", {}), "champion", "metric", DEFAULT_METRIC[problem])
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
            from tasks.core.scorer import check_carried  # noqa: PLC0415 - most specs keep nothing, and are read sooner

            try:
                check_carried(self.data.id, self.scoring.keep)
            except RequestError as error:
                raise ValueError(str(error)) from error
        return self

    @model_validator(mode="after")
    def _check_candidates(self) -> Self:
        metric = METRICS[self.gates.champion.metric]
        for position, candidate in enumerate(self.candidates):
            try:
                estimator = check_candidate(candidate.estimator, candidate.params, self.problem, metric)
            except ValueError as error:
                raise ValueError(f"candidates.{position}: {error}") from error
            if self.scoring.proba and not hasattr(estimator, "predict_proba"):
                raise ValueError(f"scoring.proba: {candidate.estimator} gives no probabilities: set it to false")
        return self


def _with_default(section: Any, part: str, key: str, value: str) -> Any:
    """Give `section[part][key]` a default, without writing into what was given."""
    if not isinstance(section, Mapping) or not isinstance(section.get(part, {}), Mapping):
        return section
    return {**section, part: {key: value, **section.get(part, {})}}
