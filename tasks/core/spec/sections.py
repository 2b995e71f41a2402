"""The sections of a spec about data, candidates and gates."""

import math
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tasks.core.windows.templates import has_window

# What a later version has: field -> what to do in this one.
LATER = {
    "search": (
        "a search over parameters is not part of this version: give each candidate fixed `params`"
    ),
    "schedules": (
        "schedules in a spec are not part of this version: put them in deployments/prefect.yaml"
    ),
}


def check_location(location: str) -> None:
    """Refuse a location that is given and empty: it would be the folder of the spec.

    Raises:
        ValueError: it is empty.
    """
    if not location.strip():
        raise ValueError(f"{location!r} names no place: give a path or a URL, or leave it out")


class Section(BaseModel):
    """A part of the spec: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_later(cls, values: object) -> object:
        if not isinstance(values, Mapping):
            return values

        for name, reason in LATER.items():
            if name in values:
                raise ValueError(reason)
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
    def _check_source(cls, source: str) -> str:
        check_location(source)
        if has_window(source):
            raise ValueError(
                f"{source!r} names a window, which only scoring.source and scoring.output may"
            )
        return source

    @model_validator(mode="after")
    def _check_roles(self) -> Self:
        taken = {"id": self.id, "time": self.time, "segment": self.segment}
        for role, column in taken.items():
            if column == self.target:
                raise ValueError(
                    f"`{role}` and `target` are both {column!r}: name two different columns"
                )

        if self.target in self.drop:
            raise ValueError(f"`drop` holds the target {self.target!r}: take it out")
        return self


class Candidate(Section):
    """An estimator with its parameters."""

    estimator: str = Field(max_length=200, description="the full name of a scikit-learn estimator")
    params: dict[str, Any] = Field(
        default_factory=dict, description="what its constructor is given"
    )

    @field_validator("params")
    @classmethod
    def _check_plain(cls, params: dict[str, Any]) -> dict[str, Any]:
        for name, value in params.items():
            _refuse_odd(name[:100], value)
        return params

    @property
    def name(self) -> str:
        """The last part of the estimator's name."""
        return self.estimator.rsplit(".", 1)[-1]


def _refuse_odd(name: str, value: Any) -> None:
    """Refuse a value of a parameter that no estimator takes, or that JSON cannot hold."""
    if isinstance(value, list | tuple):
        for item in value:
            _refuse_odd(name, item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_odd(name, key)
            _refuse_odd(name, item)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name!r} is {value}: give a finite number")
    elif not isinstance(value, str | int | float | None):
        kind = type(value).__name__
        raise ValueError(f"{name!r} holds a {kind}: give a number, a text, a list or a mapping")


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
    leaks: tuple[str, ...] = Field(
        (), description="features that may tell the target alone, or count the rows"
    )
