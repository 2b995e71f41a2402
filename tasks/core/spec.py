"""The spec: one YAML file that describes one model under management."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tasks.core.candidates import check_candidate
from tasks.core.errors import RequestError
from tasks.core.metrics import METRICS, Problem, metric_names
from tasks.core.windows import check_distinct, check_template, has_window, parse_length

LATER = {
    "search": "a search over parameters is not part of this version: give each candidate fixed `params`",
    "schedules": "schedules in a spec are not part of this version: put them in deployments/prefect.yaml",
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

    @field_validator("source")
    @classmethod
    def _refuse_window(cls, source: str) -> str:
        if has_window(source):
            raise ValueError(f"{source!r} names a window, which only scoring.source and scoring.output may")
        return source

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

    source: str = Field("", description="like data.source, and may name a window: in/{window:%Y-%m-%d}/*.parquet")
    output: str = Field("scores", description="a folder; must name a window where the source does")
    window: str | None = Field(None, description="the length of a window, such as 15m, 1h, 1d or 1w")
    on_existing: Literal["replace", "refuse"] = "replace"
    proba: bool = False
    keep: tuple[str, ...] = ()
    max_bad_rows: float = Field(0, ge=0, description="rows that may go to quarantine: a count, or a share below 1")

    @field_validator("source", "output")
    @classmethod
    def _check_template(cls, template: str) -> str:
        check_template(template)
        return template

    @field_validator("max_bad_rows")
    @classmethod
    def _check_budget(cls, rows: float) -> float:
        if rows >= 1 and not rows.is_integer():
            raise ValueError(f"{rows:g} is neither a whole number of rows nor a share below 1, such as 0.01")
        return rows

    @field_validator("window", mode="before")
    @classmethod
    def _check_length(cls, length: Any) -> Any:
        if length is not None:
            parse_length(str(length))
        return length

    @model_validator(mode="after")
    def _check_windows(self) -> Self:
        """Require a name of its own for each window, and an output above all."""
        names = {"source": self.source, "output": self.output}
        windowed = {field: template for field, template in names.items() if has_window(template)}
        if self.window is None:
            for field, template in windowed.items():
                raise ValueError(f"`{field}` is {template!r} and there is no `window`: give its length, such as 1d")
            return self
        if not windowed:
            raise ValueError(
                f"`window` is {self.window!r}, and neither `source` nor `output` names a window: leave it out, or name "
                "the window in them, as in scores/{window:%Y-%m-%d}"
            )
        if "output" not in windowed:
            raise ValueError(
                f"`output` is {self.output!r}, where each window would replace the scores of the one before: name the "
                "window in it, as in scores/{window:%Y-%m-%d}"
            )
        for field, template in windowed.items():
            try:
                check_distinct(template, parse_length(self.window))
            except ValueError as error:
                raise ValueError(f"`{field}`: {error}") from error
        return self


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
